// SPDX-License-Identifier: Apache-2.0
//
// `service::telemetry`: what the process says of itself. Read by graph.cc.
#pragma once

#include "config/graph.h"
#include "config/problems.h"

namespace sonde::config {

void read_telemetry(const Value& telemetry, Graph& graph, Problems& problems);

// Puts "[REDACTED]" in the place of what the headers of exporters hold.
void mask_telemetry(Value& telemetry);

}  // namespace sonde::config
