// SPDX-License-Identifier: Apache-2.0
//
// `service::telemetry`: what the process says of itself. Only for graph.cc.
#pragma once

#include "config/graph.h"
#include "config/problems.h"

namespace sonde::config {

void read_telemetry(const Value& telemetry, Graph& graph, Problems& problems);

}  // namespace sonde::config
