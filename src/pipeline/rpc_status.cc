// SPDX-License-Identifier: Apache-2.0
#include "pipeline/rpc_status.h"

#include "data/wire.h"

namespace sonde::pipeline {

using net::GrpcCode;

std::string encode_rpc_status(GrpcCode code, std::string_view message, Duration retry_after) {
  std::string status;
  proto::Writer out(status);
  out.varint(1, static_cast<uint64_t>(code));
  out.bytes(2, message);
  if (retry_after > Duration{}) {
    const auto ns = retry_after.count();
    std::string delay;
    proto::Writer duration(delay);
    duration.varint(1, static_cast<uint64_t>(ns / 1'000'000'000));
    if (ns % 1'000'000'000 != 0) duration.varint(2, static_cast<uint64_t>(ns % 1'000'000'000));
    std::string info;
    proto::Writer(info).bytes(1, delay);
    std::string any;
    proto::Writer details(any);
    details.bytes(1, "type.googleapis.com/google.rpc.RetryInfo");
    details.bytes(2, info);
    out.bytes(3, any);
  }
  return status;
}

GrpcCode code_of(const Error& error) {
  if (error.peer_code != 0) return static_cast<GrpcCode>(error.peer_code);
  switch (error.kind) {
    case ErrorKind::Unavailable:
      return GrpcCode::Unavailable;
    case ErrorKind::Exhausted:
      return GrpcCode::ResourceExhausted;
    case ErrorKind::Denied:
      return GrpcCode::PermissionDenied;
    case ErrorKind::Invalid:
    case ErrorKind::NotFound:
    case ErrorKind::Internal:
      break;
  }
  return GrpcCode::Internal;
}

int http_status_of(GrpcCode code) {
  switch (code) {
    case GrpcCode::Ok:
      return 200;
    case GrpcCode::Cancelled:
    case GrpcCode::DeadlineExceeded:
    case GrpcCode::Aborted:
    case GrpcCode::OutOfRange:
    case GrpcCode::Unavailable:
    case GrpcCode::DataLoss:
      return 503;
    case GrpcCode::ResourceExhausted:
      return 429;
    case GrpcCode::InvalidArgument:
      return 400;
    case GrpcCode::Unauthenticated:
      return 401;
    case GrpcCode::PermissionDenied:
      return 403;
    case GrpcCode::Unimplemented:
      return 404;
    case GrpcCode::NotFound:
    case GrpcCode::Unknown:
    case GrpcCode::Internal:
      break;
  }
  return 500;
}

net::GrpcStatus grpc_status_of(const Error& error) {
  const GrpcCode code = code_of(error);
  return {code, error.message, encode_rpc_status(code, error.message, error.retry_after)};
}

}  // namespace sonde::pipeline
