// SPDX-License-Identifier: Apache-2.0
//
// The health of the whole process and of each pipeline, made from the status of the components as
// the Collector's health extensions make it: what is worst counts, an error counts since it began,
// and extensions are a pipeline of their own. Pure: it reads what it is given.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "pipeline/introspection/status.h"
#include "pipeline/introspection/topology.h"

namespace sonde::pipeline {

struct Health {
  Status status;
  int64_t since_unix_ns = 0;
  // Of the process: "extensions" and "pipeline:traces/eu"; of those: "exporter:otlp_grpc".
  std::map<std::string, Health> parts = {};
};

enum class WorseError { Permanent, Recoverable };

// While the graph is not all started (not `ready`, and nothing stops), what has started already
// counts as starting, so that the whole does not go back and forth.
Health health_of(const Topology& topology, std::span<const ComponentStatus> statuses, bool ready,
                 WorseError worse);

// The part that a question names: "" is all, "extensions", or a pipeline ("traces/eu").
const Health* scope_of(const Health& health, std::string_view name);

// When a component's error makes it unhealthy; without this, only a fatal one does.
struct HealthRule {
  bool permanent = false;
  bool recoverable = false;
  Duration recovery{};  // For so long a recoverable error is none.
};
bool is_healthy(const Health& health, const HealthRule& rule, int64_t now_unix_ns);

}  // namespace sonde::pipeline
