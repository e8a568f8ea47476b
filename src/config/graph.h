// SPDX-License-Identifier: Apache-2.0
//
// The graph that a configuration describes: components, pipelines, extensions and own telemetry, in
// the Collector's layout. build_graph checks everything that needs no knowledge of component types:
// that names are well formed, that pipelines name components that are configured, and that each
// pipeline has a receiver and an exporter. It finds every mistake, not the first. The engine checks
// the rest against the component list (pipeline/check.h). Nothing here opens or starts anything.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/value.h"

namespace sonde::config {

enum class Section { Receivers, Processors, Exporters, Connectors, Extensions };
// "receivers", "processors", ...
std::string_view section_name(Section section);

struct ComponentNode {
  Section section;
  std::string id;    // "otlp/second".
  std::string type;  // "otlp"
  std::string name;  // "second" or empty.
  Value config;      // A map or null.
  Position position;
};

struct Reference {
  std::string id;
  Position position;
};

struct PipelineNode {
  std::string id;      // "traces/front"
  std::string signal;  // "traces", "metrics" or "logs".
  std::vector<Reference> receivers;
  std::vector<Reference> processors;
  std::vector<Reference> exporters;
  Position position;
};

struct Graph {
  std::vector<ComponentNode> components;
  std::vector<PipelineNode> pipelines;
  std::vector<Reference> extensions;
  // Where own metrics are served, as host:port; empty turns them off.
  std::string telemetry_address = "127.0.0.1:8888";
  std::string log_level = "info";
  // Settings that were accepted and have no effect, or configured parts that nothing uses.
  std::vector<std::string> warnings;

  const ComponentNode* find(Section section, std::string_view id) const;
};

struct GraphOptions {
  bool allow_no_pipelines = false;  // Feature gate service.AllowNoPipelines.
  bool profiles = false;            // Feature gate service.profilesSupport.
};

Result<Graph> build_graph(const Value& root, const GraphOptions& options = {});
// The same; `out` gets what could be read also where there are mistakes, so that others can be
// looked for in it.
Result<> build_graph(const Value& root, const GraphOptions& options, Graph& out);

}  // namespace sonde::config
