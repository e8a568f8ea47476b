// SPDX-License-Identifier: Apache-2.0
// What the OTLP receiver tells a sender: codes, statuses and bodies, as the Collector's does.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "components/receiver/otlp/intake.h"
#include "data/batch.h"
#include "net/grpc/grpc_server.h"
#include "net/http/http_types.h"

namespace sonde::otlp_receiver {

inline constexpr std::string_view kProtobuf = "application/x-protobuf";
inline constexpr std::string_view kJson = "application/json";

std::string malformed(Signal signal, const Error& error);

// Why open_body() or the memory refused a body, as gRPC's own servers say it. One that may come
// again is told 429.
net::GrpcCode code_of_body(const Error& error);
int http_status_of_body(const Error& error);

// Why an authenticator lets nobody in: as the Collector says it, but for what is worth a retry.
net::GrpcCode code_of_stranger(const Error& error);

// A sender over HTTP is answered in the form in which it spoke. Only 429 and 503 have a
// Retry-After.
net::Response refusal(bool json, net::GrpcCode code, const Error& error);
net::Response accepted(bool json, Signal signal, const Accepted& result);

}  // namespace sonde::otlp_receiver
