// SPDX-License-Identifier: Apache-2.0
// Counts spans by service, name, kind and status: calls, latency and sizes, under the names that
// Grafana's application views read (traces_spanmetrics_*). Cumulative, bounded by a cap on series,
// sent on a timer. A batch is delivered when it was counted: what was counted and not yet sent dies
// with the process, as a counter does. One that does not parse is counted up to the fault and
// fails.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/repeating_timer.h"
#include "data/metric_writer.h"
#include "data/trace_view.h"
#include "pipeline/component.h"
#include "pipeline/introspection/own_telemetry.h"
#include "rollup/histogram.h"
#include "rollup/series_table.h"

namespace sonde {
namespace {

struct Dimension {
  std::string name;
  std::string fallback;
};
struct Config {
  Duration metrics_flush_interval = std::chrono::seconds(5);
  Duration metrics_expiration = std::chrono::minutes(5);
  int64_t aggregation_cardinality_limit = 10000;
  std::string name_prefix = "traces.spanmetrics";
  std::vector<Dimension> dimensions;
};

constexpr auto kDimensionFields = config::fields<Dimension>(
    config::field("name", &Dimension::name, "Attribute of the span or its resource.",
                  {.required = true}),
    config::field("default", &Dimension::fallback, "Value where the attribute is missing."));

constexpr auto kFields = config::fields<Config>(
    config::field("metrics_flush_interval", &Config::metrics_flush_interval,
                  "How often the metrics are sent.", {.min = 0.01}),
    config::field("metrics_expiration", &Config::metrics_expiration,
                  "A series without a span for so long is forgotten.", {.min = 1}),
    config::field("aggregation_cardinality_limit", &Config::aggregation_cardinality_limit,
                  "Series kept at most; the rest is counted in one overflow series.", {.min = 1}),
    config::field("namespace", &Config::name_prefix, "Prefix of the metric names."),
    config::field("dimensions", &Config::dimensions, kDimensionFields.table(),
                  "Further attributes to count by."));

std::string_view kind_text(SpanKind kind) {
  constexpr std::string_view kNames[] = {"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL",
                                         "SPAN_KIND_SERVER",      "SPAN_KIND_CLIENT",
                                         "SPAN_KIND_PRODUCER",    "SPAN_KIND_CONSUMER"};
  auto i = static_cast<size_t>(kind);
  return i < std::size(kNames) ? kNames[i] : kNames[0];
}

std::string_view status_text(StatusCode code) {
  return code == StatusCode::Error ? "STATUS_CODE_ERROR"
         : code == StatusCode::Ok  ? "STATUS_CODE_OK"
                                   : "STATUS_CODE_UNSET";
}

class SpanMetricsConnector final : public pipeline::Component {
 public:
  SpanMetricsConnector(Config config, std::string_view id, pipeline::Outputs outputs)
      : id_(id),
        config_(std::move(config)),
        outputs_(outputs),
        table_(static_cast<size_t>(config_.aggregation_cardinality_limit)),
        defaults_(config_.dimensions.size()),
        default_texts_(config_.dimensions.size()),
        values_(kOfSpan + config_.dimensions.size()),
        texts_(config_.dimensions.size()) {}

  Result<> start(pipeline::Host& host) override {
    scheduler_ = &host.scheduler();
    timer_.start(*scheduler_, config_.metrics_flush_interval, [this] { flush(); });
    return {};
  }

  void stop() override {
    if (!timer_.running()) return;
    timer_.stop();
    flush();
  }

  void consume(Batch batch) override {
    const int64_t now = scheduler_->clock().unix_ns();
    size_t counted = 0;
    for (const Bytes& chunk : batch.chunks) {
      std::optional<size_t> group;
      auto walked =
          for_each_span(chunk, [&](const ResourceView& r, const ScopeView&, const SpanView& s) {
            if (group != r.group) enter(r);
            group = r.group;
            count(s, now);
            ++counted;
          });
      if (!walked) return refuse(std::move(batch), counted, std::move(walked.error()));
    }
    batch.ack.deliver();
  }

 private:
  enum { kService, kNamespace, kInstance, kLanguage, kName, kKind, kStatus, kFixed };
  static constexpr size_t kOfSpan = kFixed - kName;  // The dimensions come behind these.

  // What was whole before the fault is counted already; the rest of the batch is not.
  void refuse(Batch batch, size_t counted, Error error) {
    const size_t lost = std::max(batch.items(), counted + 1) - counted;
    pipeline::dropped_counter(id_, Signal::Traces, "malformed").add(lost);
    error.peer_code = 3;  // INVALID_ARGUMENT, 400 over HTTP: it is of no use to send it again.
    batch.ack.fail(at(id_, std::move(error)));
  }

  struct State {
    uint64_t calls = 0, request_bytes = 0, response_bytes = 0;
    rollup::Histogram latency{rollup::kDurationBounds};
  };
  using Table = rollup::SeriesTable<State>;

  // What is of the resource is read once for all of its spans: it may be long.
  void enter(const ResourceView& r) {
    std::string_view values[kName];
    for (const KeyValueView& a : r.attributes()) {
      if (a.key == "service.name") values[kService] = a.value.as_string();
      if (a.key == "service.namespace") values[kNamespace] = a.value.as_string();
      if (a.key == "service.instance.id") values[kInstance] = a.value.as_string();
      if (a.key == "telemetry.sdk.language") values[kLanguage] = a.value.as_string();
    }
    resource_ = rollup::SeriesPrefix(values);
    for (size_t i = 0; i < config_.dimensions.size(); i++) {
      const Dimension& d = config_.dimensions[i];
      const auto value = r.attributes().find(d.name);
      defaults_[i] = value ? text_of(*value, default_texts_[i]) : d.fallback;
    }
  }

  // A string is not copied; what is none is spelled out in `spelled`.
  static std::string_view text_of(const AnyValueView& value, std::string& spelled) {
    if (value.is_string()) return value.as_string();
    spelled = value.to_string();
    return spelled;
  }

  void count(const SpanView& s, int64_t now) {
    const AttributesView attributes = s.attributes();
    values_[kName - kName] = s.name;
    values_[kKind - kName] = kind_text(s.kind);
    values_[kStatus - kName] = status_text(s.status_code);
    for (size_t i = 0; i < config_.dimensions.size(); i++) {
      const auto value = attributes.find(config_.dimensions[i].name);
      values_[kOfSpan + i] = value ? text_of(*value, texts_[i]) : defaults_[i];
    }
    State& state = table_.at(resource_, values_, now).state;
    state.calls++;
    state.latency.record(static_cast<double>(s.duration_ns()) / 1e9);
    const auto size = [&](std::string_view key) {
      return static_cast<uint64_t>(std::max<int64_t>(0, attributes.get(key).as_int()));
    };
    state.request_bytes += size("http.request.body.size");
    state.response_bytes += size("http.response.body.size");
  }

  void flush() {
    const int64_t now = scheduler_->clock().unix_ns();
    table_.expire(now - config_.metrics_expiration.count());
    std::map<std::vector<std::string>, std::vector<const Table::Series*>> by_resource;
    table_.for_each([&](const Table::Series& s) {
      std::vector<std::string> key;
      if (!s.overflow) key.assign(s.values.begin(), s.values.begin() + kName);
      by_resource[std::move(key)].push_back(&s);
    });
    if (by_resource.empty()) return;
    MetricBatchBuilder out;
    constexpr std::string_view kKeys[] = {"service.name", "service.namespace",
                                          "service.instance.id", "telemetry.sdk.language"};
    for (const auto& [key, series] : by_resource) {
      std::vector<Attribute> resource;
      for (size_t i = 0; i < key.size(); i++) {
        if (!key[i].empty()) resource.push_back({kKeys[i], std::string_view(key[i])});
      }
      out.resource(resource).scope("span_metrics");
      write(out, series, now);
    }
    outputs_.send(out.build());
  }

  void write(MetricBatchBuilder& out, const std::vector<const Table::Series*>& series,
             int64_t now) const {
    auto time = [&](const Table::Series& s) {
      return PointTime{static_cast<uint64_t>(s.start_unix_ns), static_cast<uint64_t>(now)};
    };
    const std::string calls = config_.name_prefix + ".calls";
    out.sum({.name = calls});
    for (auto* s : series) {
      out.point(attributes_of(*s), static_cast<int64_t>(s->state.calls), time(*s));
    }
    // Without a unit, so that the name stays traces_spanmetrics_latency; its values are seconds.
    const std::string latency = config_.name_prefix + ".latency";
    out.histogram({.name = latency, .description = "Duration of spans in seconds."});
    for (auto* s : series) {
      const rollup::Histogram& h = s->state.latency;
      out.histogram_point(
          attributes_of(*s),
          {.count = h.count(), .sum = h.sum(), .bounds = h.bounds(), .buckets = h.counts()},
          time(*s));
    }
    auto bytes = [&](std::string_view what, uint64_t State::* which) {
      const std::string name = fmt::format("{}.{}", config_.name_prefix, what);
      out.sum({.name = name});
      for (auto* s : series) {
        out.point(attributes_of(*s), static_cast<int64_t>(s->state.*which), time(*s));
      }
    };
    bytes("size", &State::request_bytes);
    bytes("response.size", &State::response_bytes);
  }

  std::vector<Attribute> attributes_of(const Table::Series& s) const {
    if (s.overflow) return {{rollup::kOverflowLabel, true}};
    std::vector<Attribute> out = {{"span.name", std::string_view(s.values[kName])},
                                  {"span.kind", std::string_view(s.values[kKind])},
                                  {"status.code", std::string_view(s.values[kStatus])},
                                  {"source", std::string_view("sonde")}};
    if (!s.values[kLanguage].empty()) {
      out.push_back({"telemetry.sdk.language", std::string_view(s.values[kLanguage])});
    }
    for (size_t i = 0; i < config_.dimensions.size(); i++) {
      const std::string& v = s.values[kFixed + i];
      if (!v.empty()) out.push_back({config_.dimensions[i].name, std::string_view(v)});
    }
    return out;
  }

  const std::string id_;
  Config config_;
  pipeline::Outputs outputs_;
  Table table_;
  // Of the resource in hand: the values it gives, and what dimensions say that a span lacks.
  rollup::SeriesPrefix resource_;
  std::vector<std::string_view> defaults_;
  std::vector<std::string> default_texts_;
  // Of the span in hand.
  std::vector<std::string_view> values_;
  std::vector<std::string> texts_;
  Scheduler* scheduler_ = nullptr;
  RepeatingTimer timer_;
};

}  // namespace
}  // namespace sonde

SONDE_COMPONENT(connector, span_metrics) {
  return sonde::pipeline::make_type<sonde::SpanMetricsConnector, sonde::Config>(
      {.kind = sonde::pipeline::Kind::Connector,
       .name = "span_metrics",
       .aliases = {"spanmetrics"},
       .summary = "Counts spans: calls, latency and sizes by service, name, kind and status.",
       .in = sonde::pipeline::kTraces,
       .out = sonde::pipeline::kMetrics,
       .create = {}},
      sonde::kFields.table());
}
