// SPDX-License-Identifier: Apache-2.0
//
// What runs, for whoever shows it: the components and the edges between them, as the configuration
// joins them. The engine publishes it on a board that is leased by the identity kTopologyBoard, so
// that an extension sees the graph it is part of without knowing the engine. It holds no figures:
// those are the counters of output_meter.h, by the same names.
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/graph.h"
#include "pipeline/component.h"

namespace sonde::pipeline {

struct TopologyComponent {
  std::string key;  // "exporter/otlp_grpc/second": component_key().
  std::string kind, id, type;
  std::vector<std::string> pipelines;  // That name it; a connector's at either end.
  bool operator==(const TopologyComponent&) const = default;
};

// What `from` gives of this signal reaches `to`, through this pipeline: all of it, unless `from` is
// a connector that chooses between pipelines.
struct TopologyEdge {
  std::string from, to;  // Keys.
  std::string pipeline, signal;
  bool operator==(const TopologyEdge&) const = default;
};

struct Topology {
  std::vector<TopologyComponent> components;
  std::vector<TopologyEdge> edges;
  bool operator==(const Topology&) const = default;
};

// What names an edge: "receiver/otlp>exporter/debug>traces". There is one of a name.
std::string edge_id(const TopologyEdge& edge);

// "receiver/ebpf"; processors have an instance a pipeline, "processor/batch@traces/eu", and
// connectors that give what they take one a signal: "connector/forward@traces".
std::string component_key(std::string_view kind, std::string_view id, std::string_view part = {});

// Components that no pipeline and no list of extensions names are left out: they do not run.
Topology topology_of(const config::Graph& graph, std::span<const ComponentType* const> types);

inline constexpr std::string_view kTopologyBoard = "pipeline/topology";
// Thread safe. read() is never null, and gives another object only where the graph is another.
class TopologyBoard {
 public:
  void publish(Topology topology);
  std::shared_ptr<const Topology> read() const;

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Topology> topology_ = std::make_shared<const Topology>();
};

}  // namespace sonde::pipeline
