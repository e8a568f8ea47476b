// SPDX-License-Identifier: Apache-2.0
#include "components/receiver/otlp/answers.h"

#include <fmt/format.h>

#include <chrono>
#include <span>

#include "pipeline/rpc_status.h"
#include "wire/otlp_json/otlp_json.h"

namespace sonde::otlp_receiver {

using net::GrpcCode;

std::string malformed(Signal signal, const Error& error) {
  return fmt::format("the body is not an OTLP export request of {}: {}", to_string(signal),
                     error.message);
}

GrpcCode code_of_body(const Error& error) {
  switch (error.kind) {
    case ErrorKind::NotFound:
      return GrpcCode::Unimplemented;
    case ErrorKind::Exhausted:
      return GrpcCode::ResourceExhausted;
    default:
      return GrpcCode::InvalidArgument;
  }
}

int http_status_of_body(const Error& error) {
  if (error.retry_after > Duration{}) return 429;
  switch (error.kind) {
    case ErrorKind::NotFound:
      return 415;
    case ErrorKind::Exhausted:
      return 413;
    default:
      return 400;
  }
}

GrpcCode code_of_stranger(const Error& error) {
  return error.kind == ErrorKind::Unavailable || error.kind == ErrorKind::Exhausted
             ? GrpcCode::Unavailable
             : GrpcCode::Unauthenticated;
}

net::Response refusal(bool json, GrpcCode code, const Error& error) {
  net::Response response;
  response.status = pipeline::http_status_of(code);
  response.content_type = json ? kJson : kProtobuf;
  response.body = json ? wire::rpc_status_to_json(static_cast<int>(code), error.message)
                       : pipeline::encode_rpc_status(code, error.message, error.retry_after);
  if (error.retry_after > Duration{} && (response.status == 429 || response.status == 503)) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(error.retry_after).count();
    response.headers.push_back({"Retry-After", fmt::format("{}", seconds)});
  }
  return response;
}

net::Response accepted(bool json, Signal signal, const Accepted& result) {
  std::string body = encode_response(result);
  if (!json) return {200, std::string(kProtobuf), std::move(body), {}};
  const Bytes bytes = Bytes::take(std::move(body));
  return {200,
          std::string(kJson),
          wire::otlp_to_json(signal, wire::OtlpBody::Response, std::span(&bytes, 1)).value(),
          {}};
}

}  // namespace sonde::otlp_receiver
