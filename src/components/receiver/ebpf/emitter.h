// SPDX-License-Identifier: Apache-2.0
// Writes finished requests as OpenTelemetry spans, grouped by process, and counts them into RED
// metrics. It knows neither the kernel nor timers, so tests hand it requests.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "data/metric_writer.h"
#include "data/span_writer.h"
#include "pipeline/component.h"
#include "probe/tracker.h"
#include "rollup/red.h"

namespace sonde {

struct EmitterConfig {
  bool traces = true;
  bool metrics = true;
  size_t max_series = 10000;
  std::string host_name;
  std::string host_id;
};

class Emitter final : public probe::RequestSink {
 public:
  explicit Emitter(EmitterConfig config);

  void request(const probe::FinishedRequest& request) override;
  void excluded(uint32_t tgid) override { excluded_[tgid] = true; }
  void executed(uint32_t tgid) override { excluded_[tgid] = false; }
  // What was found out since the last call: which processes the kernel need not report, and which
  // it must report again. The kernel does so by itself at an exec, but one that came before it was
  // told of the exclusion would be undone by that.
  std::map<uint32_t, bool> take_exclusions() { return std::exchange(excluded_, {}); }

  bool has_spans() const { return !spans_.empty(); }
  Batch take_spans();
  // Cumulative metrics of all requests so far.
  Batch take_metrics(int64_t now_unix_ns);
  size_t series() const { return red_.series(); }
  uint64_t overflowed() const { return red_.overflowed(); }

 private:
  using ProcessPtr = std::shared_ptr<const probe::Process>;

  std::vector<Attribute> resource_of(const probe::Process& process) const;
  void write_span(const probe::FinishedRequest& request);
  void observe(const probe::FinishedRequest& request);

  EmitterConfig config_;
  std::vector<probe::FinishedRequest> spans_;
  TraceBatchBuilder traces_;
  MetricBatchBuilder metrics_;
  rollup::Red red_;
  std::unordered_map<const probe::Process*, ProcessPtr> described_;  // Since the last metrics.
  std::map<uint32_t, bool> excluded_;
};

}  // namespace sonde
