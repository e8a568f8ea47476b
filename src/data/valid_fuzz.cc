// SPDX-License-Identifier: Apache-2.0
// Hostile bytes through the validator: what it takes, every reader of this room reads without an
// error, and a cut in the middle of a field never passes as the whole. The first byte picks the
// signal.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "data/count.h"
#include "data/edit.h"
#include "data/log_view.h"
#include "data/metric_view.h"
#include "data/text.h"
#include "data/text_value.h"
#include "data/trace_view.h"
#include "data/valid.h"
#include "data/walk.h"

using namespace sonde;

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

bool id(std::string_view bytes, size_t size) { return bytes.empty() || bytes.size() == size; }

void walk(const AttributesView& attributes) {
  for (const KeyValueView& pair : attributes) must(text::valid_value(pair.value.bytes()));
}

void views(Signal signal, std::string_view chunk) {
  switch (signal) {
    case Signal::Traces:
      must(for_each_span(chunk, [](const ResourceView& r, const ScopeView& s, const SpanView& v) {
             walk(r.attributes());
             walk(s.attributes());
             walk(v.attributes());
             must(id(v.trace_id, 16) && id(v.span_id, 8) && id(v.parent_span_id, 8));
             for (const EventView& event : v.events()) walk(event.attributes());
             for (const LinkView& link : v.links()) walk(link.attributes());
           }).has_value());
      return;
    case Signal::Metrics:
      must(for_each_metric(chunk, [](const ResourceView&, const ScopeView&, const MetricView& m) {
             for (const auto& point : m.numbers()) walk(point.attributes());
             for (const auto& point : m.histograms()) walk(point.attributes());
           }).has_value());
      return;
    case Signal::Logs:
      must(for_each_log(chunk, [](const ResourceView&, const ScopeView&, const LogView& log) {
             must(id(log.trace_id, 16) && id(log.span_id, 8));
             walk(log.attributes());
           }).has_value());
      return;
    case Signal::Profiles:
      must(for_each_record(chunk, [](const ResourceView& r, const ScopeView& s, std::string_view) {
             walk(r.attributes());
             walk(s.attributes());
             return true;
           }).has_value());
      return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const auto signal = static_cast<Signal>(data[0] % kSignals.size());
  const std::string_view chunk(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (!validate(signal, chunk)) return 0;
  must(count_items(signal, chunk).has_value());
  views(signal, chunk);
  static Rewriter rewriter;
  Editor still;
  if (signal != Signal::Profiles)
    must(rewriter.rewrite(signal, Bytes::copy(chunk), still).has_value());
  // Its text is read back, and what that makes is OTLP again.
  const auto again = from_text(to_text(signal, chunk));
  must(again.has_value() && validate(*again).has_value());
  // Requests are joined by their bytes: two that are valid make one that is.
  must(validate(signal, std::string(chunk) + std::string(chunk)).has_value());
  return 0;
}
