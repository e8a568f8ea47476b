// SPDX-License-Identifier: Apache-2.0
// What healthcheckv2 answers over HTTP, made from the health of the process. Pure.
#pragma once

#include <optional>
#include <string>

#include "net/http/http_types.h"
#include "pipeline/introspection/health.h"

namespace sonde::healthcheckv2 {

struct StatusQuestion {
  std::string scope = {};  // "", "extensions" or a pipeline.
  bool verbose = false;    // With the parts.
};
StatusQuestion read_question(const net::Request& request);

// `rule` is absent where component_health is: then nothing is unhealthy.
net::Response status_answer(const pipeline::Health& health, const StatusQuestion& question,
                            const std::optional<pipeline::HealthRule>& rule,
                            int64_t started_unix_ns, int64_t now_unix_ns);

// Without use_v2: 200 or 503, with the body of health_check.
struct PlainBodies {
  std::string healthy, unhealthy;
};
net::Response plain_answer(const pipeline::Health& health, const StatusQuestion& question,
                           const std::optional<PlainBodies>& bodies, int64_t started_unix_ns,
                           int64_t now_unix_ns);

}  // namespace sonde::healthcheckv2
