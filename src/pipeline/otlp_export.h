// SPDX-License-Identifier: Apache-2.0
// What every way of sending OTLP has in common: where it goes, the body of an export request and
// what its response says. How the bytes travel is the exporter's.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "data/batch.h"
#include "pipeline/queue/sending_queue.h"

namespace sonde::pipeline {

// "/opentelemetry.proto.collector.trace.v1.TraceService/Export": the method of gRPC.
std::string_view otlp_grpc_path(Signal signal);
// "/v1/traces"
std::string_view otlp_http_path(Signal signal);

// The chunks as one request body. Copies only where there are several.
Bytes joined(const Batch& batch);

// Reads ExportServiceResponse{partial_success = 1 {rejected = 1, error_message = 2}}. What does not
// parse is full success, because the peer said that the call went well.
Sent read_export_response(std::string_view body);

}  // namespace sonde::pipeline
