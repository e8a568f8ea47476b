// SPDX-License-Identifier: Apache-2.0
// The pipeline graph as /api/v1/pipelines tells it: what runs, joined how, and how much passes each
// edge. Figures are read from the counters that the engine and the components keep anyway, every
// kSampleSeconds and for as long as the longest range, so that rates have a past before anybody
// opens the page. Edges that leave one component with one signal carry the same items, since a
// fan-out copies.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pipeline/introspection/status.h"
#include "pipeline/introspection/topology.h"

namespace sonde::console {

struct DroppedRow {
  std::string signal{}, reason{};
  uint64_t count = 0;  // Since the start.
};
struct PipelineComponent {
  std::string key{}, kind{}, id{}, type{};
  std::vector<std::string> pipelines{};
  std::optional<double> queue_used{}, queue_capacity{};  // In the unit of the queue's sizer.
  std::optional<double> queue_oldest_s{};  // For how long the oldest request has waited.
  uint64_t retries = 0;
  std::vector<DroppedRow> dropped{};
  pipeline::Status status{};
  std::optional<int64_t> status_since_ms{};
};
struct PipelineEdge {
  std::string from{}, to{}, pipeline{}, signal{};
  // In the range. Errors are records of this signal that `to` dropped, from whichever edge.
  uint64_t items = 0, bytes = 0, errors = 0;
  std::optional<double> items_rate{}, bytes_rate{}, errors_rate{};
  std::vector<double> trend{};  // Items a second of each sample, oldest first.
};
struct PipelinesAnswer {
  int64_t now_ms = 0, range_s = 0, step_s = 0;
  std::vector<PipelineComponent> components{};
  std::vector<PipelineEdge> edges{};
};

class PipelineHistory {
 public:
  static constexpr int64_t kSampleSeconds = 5;
  static constexpr int64_t kKeptSeconds = 15 * 60;

  // Reads the counters now. A graph other than the last one's starts a new history.
  void sample(std::shared_ptr<const pipeline::Topology> topology, int64_t now_ms);
  // Samples, and measures from the first sample that is inside the range.
  PipelinesAnswer answer(std::shared_ptr<const pipeline::Topology> topology,
                         std::span<const pipeline::ComponentStatus> statuses, int64_t range_s,
                         int64_t now_ms);
  size_t samples() const { return samples_.size(); }

 private:
  struct Flow {
    uint64_t items = 0, bytes = 0, errors = 0;
  };
  struct Sample {
    int64_t time_ms;
    std::vector<Flow> flows;  // One an edge of the topology.
  };
  Sample read(int64_t now_ms) const;

  std::shared_ptr<const pipeline::Topology> topology_;
  std::deque<Sample> samples_;
};

std::string pipelines_json(const PipelinesAnswer& answer);

}  // namespace sonde::console
