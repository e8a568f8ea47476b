// SPDX-License-Identifier: Apache-2.0
// How a refusal is told to a sender and read from a peer: google.rpc.Status with RetryInfo, and
// which code a failure inside the pipeline becomes. The same for every receiver that speaks gRPC
// or OTLP over HTTP.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "data/ack.h"
#include "net/grpc/grpc_server.h"

namespace sonde::pipeline {

// google.rpc.Status {code = 1, message = 2, details = 3}; with a google.rpc.RetryInfo where
// retry_after is positive.
std::string encode_rpc_status(net::GrpcCode code, std::string_view message, Duration retry_after);

// What a sender is told of a failure: what the peer behind said, where one did; else a permanent
// one is INTERNAL, one worth a retry UNAVAILABLE, a lack of room RESOURCE_EXHAUSTED. The
// Collector's receiver answers the same.
net::GrpcCode code_of(const Error& error);

// The HTTP status of a code, as the Collector's OTLP receiver maps them.
int http_status_of(net::GrpcCode code);

net::GrpcStatus grpc_status_of(const Error& error);

}  // namespace sonde::pipeline
