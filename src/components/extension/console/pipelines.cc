// SPDX-License-Identifier: Apache-2.0
#include "components/extension/console/pipelines.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "base/counters.h"
#include "base/json_writer.h"
#include "pipeline/introspection/output_meter.h"

namespace sonde::console {
namespace {

using Pair = std::pair<std::string, std::string>;

std::string label(const CounterSample& sample, std::string_view key) {
  for (const auto& [name, value] : sample.labels) {
    if (name == key) return value;
  }
  return {};
}

// The counter by (component, signal); other labels are summed over.
std::map<Pair, uint64_t> by_component_and_signal(std::string_view name) {
  std::map<Pair, uint64_t> out;
  for (const CounterSample& s : Counters::samples(name)) {
    out[{label(s, "component"), label(s, "signal")}] += static_cast<uint64_t>(s.value);
  }
  return out;
}

// What components gave, by component, signal and pipeline: output_meter.h.
using Given = std::map<std::tuple<std::string, std::string, std::string>, uint64_t>;
Given given(std::string_view name) {
  Given out;
  for (const CounterSample& s : Counters::samples(name)) {
    out[{label(s, "component"), label(s, "signal"), label(s, "pipeline")}] +=
        static_cast<uint64_t>(s.value);
  }
  return out;
}

uint64_t through(const Given& values, const pipeline::TopologyEdge& edge) {
  uint64_t sum = 0;
  for (const std::string& pipeline : {std::string(), edge.pipeline}) {
    const auto found = values.find({edge.from, edge.signal, pipeline});
    if (found != values.end()) sum += found->second;
  }
  return sum;
}

uint64_t at(const std::map<Pair, uint64_t>& values, const std::string& a, const std::string& b) {
  const auto found = values.find({a, b});
  return found == values.end() ? 0 : found->second;
}

// A key without its kind and pipeline, as the components' own counters spell it.
std::string id_of(const pipeline::Topology& topology, const std::string& key) {
  const auto found = std::ranges::find(topology.components, key, &pipeline::TopologyComponent::key);
  return found == topology.components.end() ? std::string() : found->id;
}

std::optional<double> queue_figure(std::string_view name, const std::string& exporter) {
  // One queue a signal.
  std::optional<double> sum;
  for (const CounterSample& s : Counters::samples(name)) {
    if (label(s, "exporter") == exporter) sum = sum.value_or(0) + s.value;
  }
  return sum;
}

// Of the signal that waits longest.
std::optional<double> queue_oldest(const std::string& exporter) {
  std::optional<double> oldest;
  for (const CounterSample& s : Counters::samples("sonde_exporter_queue_oldest_seconds")) {
    if (label(s, "exporter") == exporter) oldest = std::max(oldest.value_or(0), s.value);
  }
  return oldest;
}

PipelineComponent describe(const pipeline::TopologyComponent& c) {
  PipelineComponent out{
      .key = c.key, .kind = c.kind, .id = c.id, .type = c.type, .pipelines = c.pipelines};
  if (c.kind == "exporter") {
    out.queue_used = queue_figure("otelcol_exporter_queue_size", c.id);
    out.queue_capacity = queue_figure("otelcol_exporter_queue_capacity", c.id);
    out.queue_oldest_s = queue_oldest(c.id);
    for (const CounterSample& s : Counters::samples("sonde_exporter_retries_total")) {
      if (label(s, "exporter") == c.id) out.retries += static_cast<uint64_t>(s.value);
    }
  }
  for (const CounterSample& s : Counters::samples("sonde_dropped_records_total")) {
    if (label(s, "component") != c.id || s.value == 0) continue;
    out.dropped.push_back({.signal = label(s, "signal"),
                           .reason = label(s, "reason"),
                           .count = static_cast<uint64_t>(s.value)});
  }
  return out;
}

std::string_view state_word(pipeline::StatusKind kind) {
  switch (kind) {
    case pipeline::StatusKind::None:
      return "none";
    case pipeline::StatusKind::Starting:
      return "starting";
    case pipeline::StatusKind::Ok:
      return "ok";
    case pipeline::StatusKind::RecoverableError:
      return "recoverable_error";
    case pipeline::StatusKind::PermanentError:
      return "permanent_error";
    case pipeline::StatusKind::FatalError:
      return "fatal_error";
    case pipeline::StatusKind::Stopping:
      return "stopping";
    case pipeline::StatusKind::Stopped:
      return "stopped";
  }
  return "none";
}

// Counters only grow; a smaller one belongs to a component that was made anew.
uint64_t grown(uint64_t from, uint64_t to) { return to >= from ? to - from : to; }

}  // namespace

PipelineHistory::Sample PipelineHistory::read(int64_t now_ms) const {
  const Given items = given(pipeline::kOutputItems);
  const Given bytes = given(pipeline::kOutputBytes);
  const auto dropped = by_component_and_signal("sonde_dropped_records_total");
  Sample sample{.time_ms = now_ms, .flows = {}};
  for (const pipeline::TopologyEdge& e : topology_->edges) {
    sample.flows.push_back({.items = through(items, e),
                            .bytes = through(bytes, e),
                            .errors = at(dropped, id_of(*topology_, e.to), e.signal)});
  }
  return sample;
}

void PipelineHistory::sample(std::shared_ptr<const pipeline::Topology> topology, int64_t now_ms) {
  if (topology != topology_) {
    topology_ = std::move(topology);
    samples_.clear();
  }
  // A clock that was set back would make intervals negative.
  if (!samples_.empty() && now_ms < samples_.back().time_ms) samples_.clear();
  samples_.push_back(read(now_ms));
  while (samples_.front().time_ms < now_ms - kKeptSeconds * 1000 - kSampleSeconds * 1000) {
    samples_.pop_front();
  }
}

PipelinesAnswer PipelineHistory::answer(std::shared_ptr<const pipeline::Topology> topology,
                                        std::span<const pipeline::ComponentStatus> statuses,
                                        int64_t range_s, int64_t now_ms) {
  if (topology != topology_ || samples_.empty() || now_ms < samples_.back().time_ms) {
    sample(std::move(topology), now_ms);
  }
  range_s = std::clamp<int64_t>(range_s, 2 * kSampleSeconds, kKeptSeconds);
  PipelinesAnswer out{.now_ms = now_ms,
                      .range_s = range_s,
                      .step_s = kSampleSeconds,
                      .components = {},
                      .edges = {}};
  for (const auto& c : topology_->components) {
    out.components.push_back(describe(c));
    const auto found = std::ranges::find(statuses, c.key, &pipeline::ComponentStatus::key);
    if (found == statuses.end()) continue;
    out.components.back().status = found->status;
    out.components.back().status_since_ms = found->since_unix_ns / 1'000'000;
  }

  // What was counted after the last sample counts as well, so that an answer is never late.
  const Sample present = read(now_ms);
  const auto first = std::ranges::find_if(
      samples_, [&](const Sample& s) { return s.time_ms >= now_ms - range_s * 1000; });
  const Sample& start = first == samples_.end() ? present : *first;
  const double seconds = static_cast<double>(now_ms - start.time_ms) / 1000;
  for (size_t i = 0; i < topology_->edges.size(); ++i) {
    const pipeline::TopologyEdge& e = topology_->edges[i];
    const Flow &from = start.flows[i], &to = present.flows[i];
    PipelineEdge edge{.from = e.from,
                      .to = e.to,
                      .pipeline = e.pipeline,
                      .signal = e.signal,
                      .items = grown(from.items, to.items),
                      .bytes = grown(from.bytes, to.bytes),
                      .errors = grown(from.errors, to.errors)};
    if (seconds >= 1) {
      edge.items_rate = static_cast<double>(edge.items) / seconds;
      edge.bytes_rate = static_cast<double>(edge.bytes) / seconds;
      edge.errors_rate = static_cast<double>(edge.errors) / seconds;
    }
    for (auto s = first; s != samples_.end() && std::next(s) != samples_.end(); ++s) {
      const auto after = std::next(s);
      const double step = static_cast<double>(std::max<int64_t>(1, after->time_ms - s->time_ms));
      edge.trend.push_back(static_cast<double>(grown(s->flows[i].items, after->flows[i].items)) *
                           1000 / step);
    }
    out.edges.push_back(std::move(edge));
  }
  return out;
}

std::string pipelines_json(const PipelinesAnswer& a) {
  JsonWriter w;
  w.object().member("now", a.now_ms).member("range_s", a.range_s).member("step_s", a.step_s);
  w.key("components").array();
  for (const auto& c : a.components) {
    w.object().member("key", c.key).member("kind", c.kind).member("id", c.id);
    w.member("type", c.type).key("pipelines").array();
    for (const auto& p : c.pipelines) w.value(p);
    w.end().key("queue");
    if (c.queue_used && c.queue_capacity) {
      w.object().member("used", c.queue_used).member("capacity", c.queue_capacity);
      w.member("oldest_s", c.queue_oldest_s).end();
    } else {
      w.null();
    }
    w.member("retries", c.retries).key("dropped").array();
    for (const auto& d : c.dropped) {
      w.object().member("signal", d.signal).member("reason", d.reason);
      w.member("count", d.count).end();
    }
    w.end().key("status").object().member("state", state_word(c.status.kind));
    w.key("error");
    c.status.error.empty() ? w.null() : w.value(c.status.error);
    w.member("since", c.status_since_ms).end().end();
  }
  w.end().key("edges").array();
  for (const auto& e : a.edges) {
    w.object().member("from", e.from).member("to", e.to).member("pipeline", e.pipeline);
    w.member("signal", e.signal).member("items", e.items).member("bytes", e.bytes);
    w.member("errors", e.errors).member("items_rate", e.items_rate);
    w.member("bytes_rate", e.bytes_rate).member("errors_rate", e.errors_rate);
    w.key("trend").array();
    for (double v : e.trend) w.value(v);
    w.end().end();
  }
  w.end().end();
  return w.take();
}

}  // namespace sonde::console
