// SPDX-License-Identifier: Apache-2.0
// Hostile bytes through every reader of this room: the views, the index with an edit, and the text
// form, whose second round must say what the first one said. The first byte picks the signal.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "data/edit.h"
#include "data/metric_view.h"
#include "data/text.h"
#include "data/trace_view.h"

using namespace sonde;

namespace {

size_t g_sink = 0;

void walk(const AttributesView& attributes) {
  for (const KeyValueView& pair : attributes) g_sink += pair.value.to_string().size();
}

void views(Signal signal, std::string_view chunk) {
  (void)for_each_span(chunk, [](const ResourceView& r, const ScopeView& s, const SpanView& v) {
    walk(r.attributes());
    walk(s.attributes());
    walk(v.attributes());
    for (const EventView& event : v.events()) walk(event.attributes());
    for (const LinkView& link : v.links()) walk(link.attributes());
  });
  (void)for_each_metric(chunk, [](const ResourceView&, const ScopeView&, const MetricView& m) {
    for (const auto& point : m.numbers()) walk(point.attributes());
    for (const auto& point : m.histograms()) {
      walk(point.attributes());
      point.for_each_bound([](double) { ++g_sink; });
      point.for_each_bucket([](uint64_t) { ++g_sink; });
    }
    for (const auto& point : m.exponential_histograms())
      g_sink += point.positive.counts.size() + point.negative.counts.size();
    for (const auto& point : m.summaries())
      for (const auto& at : point.quantiles()) g_sink += at.value > 1 ? 1 : 0;
  });
  g_sink += count_records(signal, chunk);
}

void edits(Signal signal, std::string_view chunk) {
  auto index = Index::build(signal, Bytes::copy(chunk));
  if (!index) return;
  Edit edit(*index);
  for (size_t i = 0; i < index->resources().size(); ++i) {
    edit.set(Edit::resource(i), "k", "value");
    edit.erase(Edit::resource(i), "a");
  }
  for (size_t i = 0; i < index->records().size(); ++i) {
    if (signal == Signal::Metrics) continue;
    const auto& record = index->records()[i];
    if (record.slots_end > record.first_slot)
      edit.erase(Edit::record(i), index->key(index->slots()[record.first_slot]));
    edit.set(Edit::record(i), "k", int64_t{1} << 40);
    if (edit.get(Edit::record(i), "k")->as_int() != int64_t{1} << 40) std::abort();
  }
  const Bytes out = edit.encode();
  const auto again = Index::build(signal, out);
  if (!again || again->records().size() != index->records().size()) std::abort();
}

void text(Signal signal, std::string_view chunk) {
  const std::string first = to_text(signal, chunk);
  const auto batch = from_text(first);
  if (!batch || to_text(*batch) != first) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const auto signal = static_cast<Signal>(data[0] % 3);
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  views(signal, rest);
  edits(signal, rest);
  text(signal, rest);
  if (const auto parsed = from_text(rest)) (void)to_text(*parsed);
  return 0;
}
