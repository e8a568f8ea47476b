// SPDX-License-Identifier: Apache-2.0
// The messages of grpc.health.v1: its protocol is
// https://github.com/grpc/grpc/blob/master/doc/health-checking.md.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "pipeline/introspection/health.h"

namespace sonde::healthcheckv2 {

enum class Serving { Unknown = 0, Serving = 1, NotServing = 2, ServiceUnknown = 3 };

// The service that a HealthCheckRequest asks for; the last one where it is there twice.
Result<std::string> decode_request(std::string_view bytes);
std::string encode_response(Serving serving);

Serving serving_of(const pipeline::Health& health, const pipeline::HealthRule& rule,
                   int64_t now_unix_ns);

}  // namespace sonde::healthcheckv2
