// SPDX-License-Identifier: Apache-2.0
// Hostile bytes through every reader of this room: the views, the Collector's text of values, a
// rewrite with edits, counting, and the text form, whose second round must say what the first one
// said. The first byte picks the signal.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "data/collector_text.h"
#include "data/count.h"
#include "data/edit.h"
#include "data/log_view.h"
#include "data/metric_view.h"
#include "data/text.h"
#include "data/trace_view.h"

using namespace sonde;

namespace {

size_t g_sink = 0;

// What is nested is closed again, whatever lies in it.
void spell(const AnyValueView& value) {
  const std::string text = collector_text(value);
  using Kind = AnyValueView::Kind;
  if (value.kind() == Kind::Array && (text.front() != '[' || text.back() != ']')) std::abort();
  if (value.kind() == Kind::Map && (text.front() != '{' || text.back() != '}')) std::abort();
  if (value.is_string() && text != value.as_string()) std::abort();
  g_sink += text.size();
}

void walk(const AttributesView& attributes) {
  std::string_view first;
  bool any = false;
  for (const KeyValueView& pair : attributes) {
    g_sink += pair.value.to_string().size();
    spell(pair.value);
    if (!any) first = pair.key;
    any = true;
  }
  if (!any) return;
  // Looking a key up finds what walking finds.
  const auto found = attributes.find(first);
  const KeyValueView pair = *attributes.begin();
  if (!found || found->kind() != pair.value.kind() || found->bytes() != pair.value.bytes())
    std::abort();
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
  (void)for_each_log(chunk, [](const ResourceView&, const ScopeView&, const LogView& log) {
    g_sink += log.body.to_string().size() + log.severity_text.size();
    spell(log.body);
    walk(log.attributes());
  });
  g_sink += count_records(signal, chunk);
}

// Sets, erases and drops by what it finds, so that the input decides which path is taken.
class Meddler : public Editor {
  bool resource(ResourceEdit& r) override { return meddle(r.attributes()); }
  bool scope(ScopeEdit& s, ResourceEdit& r) override {
    if (s.name().size() % 4 == 1) r.attributes().set("scope", s.name());
    return meddle(s.attributes());
  }
  bool span(SpanEdit& span, Owners& owners) override {
    span.for_each_event([&](EventEdit& e) { return meddle(e.attributes()); });
    span.for_each_link([&](LinkEdit& l) { return meddle(l.attributes()); });
    if (span.name().size() % 2 == 1) span.set_name("renamed");
    return meddle(span.attributes(), &owners);
  }
  bool log(LogEdit& log, Owners& owners) override {
    if (log.body().is_string()) log.set_body(log.body().as_string());
    return meddle(log.attributes(), &owners);
  }
  bool metric(MetricEdit& metric, Owners&) override {
    metric.for_each_point([&](PointEdit& p) {
      p.for_each_exemplar([&](MessageEdit& e) { return meddle(e); });
      return meddle(p.attributes());
    });
    return true;
  }
  static bool meddle(MessageEdit& message, Owners* owners = nullptr) {
    size_t count = 0;
    std::string first;
    message.for_each_attribute([&](const KeyValueView& pair) {
      if (count++ == 0) first = pair.key;
    });
    if (count % 3 == 1) message.erase(first);
    if (count % 3 == 2) message.set(first, int64_t{1} << 40);
    if (count % 5 == 1) {
      message.set("k", "value");
      if (message.get("k")->as_string() != "value") std::abort();
    }
    if (count % 5 == 3) {
      size_t asked = 0;
      const size_t replaced =
          message.replace_values([&](const KeyValueView& pair) -> std::optional<AttributeValue> {
            if (asked++ % 2 == 1) return std::nullopt;
            return pair.key;
          });
      if (replaced != (asked + 1) / 2) std::abort();
    }
    if (count % 5 == 2 && owners != nullptr) owners->resource.attributes().set("late", "yes");
    return count % 7 != 3;
  }
};

void edits(Signal signal, std::string_view chunk) {
  static Rewriter rewriter;
  Meddler editor;
  const auto before = count_items(signal, chunk);
  const auto done = rewriter.rewrite(signal, Bytes::copy(chunk), editor);
  if (!done) return;
  const auto after = count_items(signal, done->chunk.view());
  if (!before || !after || *after + done->dropped != *before) std::abort();
  Editor still;
  const auto again = rewriter.rewrite(signal, done->chunk, still);
  if (!again || again->changed) std::abort();
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
