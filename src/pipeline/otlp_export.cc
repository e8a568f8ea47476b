// SPDX-License-Identifier: Apache-2.0
#include "pipeline/otlp_export.h"

#include <string>

#include "data/otlp_fields.h"
#include "data/wire.h"

namespace sonde::pipeline {

std::string_view otlp_grpc_path(Signal signal) {
  switch (signal) {
    case Signal::Traces:
      return "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    case Signal::Metrics:
      return "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
    case Signal::Logs:
      return "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
    case Signal::Profiles:
      break;
  }
  return "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export";
}

std::string_view otlp_http_path(Signal signal) {
  switch (signal) {
    case Signal::Traces:
      return "/v1/traces";
    case Signal::Metrics:
      return "/v1/metrics";
    case Signal::Logs:
      return "/v1/logs";
    case Signal::Profiles:
      break;
  }
  return "/v1development/profiles";
}

Bytes joined(const Batch& batch) {
  if (batch.chunks.size() == 1) return batch.chunks.front();
  std::string body;
  body.reserve(batch.bytes());
  for (const Bytes& chunk : batch.chunks) body.append(chunk.view());
  return Bytes::take(std::move(body));
}

Sent read_export_response(std::string_view body) {
  Sent sent;
  proto::Reader response(body);
  proto::Field field;
  while (response.next(field)) {
    if (field.number != otlp::response::kPartialSuccess || field.type != proto::Type::Bytes)
      continue;
    proto::Reader partial(field.bytes);
    proto::Field inner;
    while (partial.next(inner)) {
      if (inner.number == otlp::partial_success::kRejected && inner.type == proto::Type::Varint) {
        sent.rejected = inner.as_int64() > 0 ? inner.value : 0;
      } else if (inner.number == otlp::partial_success::kMessage &&
                 inner.type == proto::Type::Bytes) {
        sent.message = std::string(inner.bytes);
      }
    }
  }
  return sent;
}

}  // namespace sonde::pipeline
