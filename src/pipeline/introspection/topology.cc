// SPDX-License-Identifier: Apache-2.0
#include "pipeline/introspection/topology.h"

#include <algorithm>

#include "pipeline/check.h"

namespace sonde::pipeline {
namespace {

using config::ComponentNode;
using config::Graph;
using config::PipelineNode;
using config::Reference;
using config::Section;
using Types = std::span<const ComponentType* const>;

// Adds the component, or the pipeline to the one that is there.
std::string enter(Topology& to, const ComponentNode& node, std::string_view kind,
                  const PipelineNode* pipeline, std::string_view part = {}) {
  std::string key = component_key(kind, node.id, part);
  auto at = std::ranges::find(to.components, key, &TopologyComponent::key);
  if (at == to.components.end()) {
    at = to.components.insert(
        at,
        {.key = key, .kind = std::string(kind), .id = node.id, .type = node.type, .pipelines = {}});
  }
  if (pipeline && std::ranges::find(at->pipelines, pipeline->id) == at->pipelines.end()) {
    at->pipelines.push_back(pipeline->id);
  }
  return key;
}

// A reference at an end of a pipeline names a receiver or exporter, and else a connector.
std::string enter_end(Topology& to, const Graph& graph, Types types, const PipelineNode& pipeline,
                      const Reference& reference, Section section, std::string_view kind) {
  if (const ComponentNode* node = graph.find(section, reference.id)) {
    return enter(to, *node, kind, &pipeline);
  }
  const ComponentNode* node = graph.find(Section::Connectors, reference.id);
  if (!node) return {};
  const auto type = find_type(types, *node);
  const bool apart = type && (*type)->same_signal;
  return enter(to, *node, "connector", &pipeline, apart ? pipeline.signal : std::string());
}

}  // namespace

std::string component_key(std::string_view kind, std::string_view id, std::string_view part) {
  std::string key = std::string(kind) + "/" + std::string(id);
  if (!part.empty()) key += "@" + std::string(part);
  return key;
}

std::string edge_id(const TopologyEdge& edge) {
  return edge.from + ">" + edge.to + ">" + edge.pipeline;
}

Topology topology_of(const Graph& graph, Types types) {
  Topology out;
  for (const PipelineNode& pipeline : graph.pipelines) {
    std::vector<std::string> from;
    for (const Reference& r : pipeline.receivers) {
      from.push_back(enter_end(out, graph, types, pipeline, r, Section::Receivers, "receiver"));
    }
    const auto join = [&](const std::string& to) {
      for (const std::string& key : from) {
        if (key.empty() || to.empty()) continue;
        out.edges.push_back({key, to, pipeline.id, pipeline.signal});
      }
    };
    for (const Reference& r : pipeline.processors) {
      const ComponentNode* node = graph.find(Section::Processors, r.id);
      if (!node) continue;
      std::string key = enter(out, *node, "processor", &pipeline, pipeline.id);
      join(key);
      from = {std::move(key)};
    }
    for (const Reference& r : pipeline.exporters) {
      join(enter_end(out, graph, types, pipeline, r, Section::Exporters, "exporter"));
    }
  }
  for (const Reference& r : graph.extensions) {
    if (const ComponentNode* node = graph.find(Section::Extensions, r.id)) {
      enter(out, *node, "extension", nullptr);
    }
  }
  return out;
}

void TopologyBoard::publish(Topology topology) {
  auto fresh = std::make_shared<const Topology>(std::move(topology));
  const std::lock_guard lock(mutex_);
  if (*fresh != *topology_) topology_ = std::move(fresh);
}

std::shared_ptr<const Topology> TopologyBoard::read() const {
  const std::lock_guard lock(mutex_);
  return topology_;
}

}  // namespace sonde::pipeline
