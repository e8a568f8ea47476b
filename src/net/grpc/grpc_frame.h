// SPDX-License-Identifier: Apache-2.0
// The pure parts of gRPC over HTTP/2: the five-byte message prefix, the percent coding of
// grpc-message, and what a status means for a retry. Free of sockets and of nghttp2, so that a
// fuzzer and plain tests reach all of it. A compressed message is
// decompressed under the same limit as one that is not.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace sonde::net {

// Collects the one message of a unary response from the pieces in which it arrives.
class GrpcMessageReader {
 public:
  explicit GrpcMessageReader(size_t max_message) : max_message_(max_message) {}
  Result<> feed(std::string_view bytes);
  // The message, once it is whole; an error when there was none or it was cut short. `encoding` is
  // the grpc-encoding of the response.
  Result<std::string> finish(std::string_view encoding = {});
  bool empty() const { return prefix_.empty() && message_.empty(); }

 private:
  size_t max_message_;
  std::string prefix_;
  std::string message_;
  size_t length_ = 0;
};

std::string grpc_prefix(size_t message_size, bool compressed = false);

// The trailers of a response, as far as they matter.
struct GrpcTrailers {
  int http_status = 0;
  std::optional<std::string> status;    // grpc-status
  std::string message;                  // grpc-message, still percent-coded
  std::optional<std::string> pushback;  // grpc-retry-pushback-ms
  std::string details;                  // grpc-status-details-bin, base64
  std::string encoding;                 // grpc-encoding, from the head
};

// OK is a value. UNAVAILABLE, DEADLINE_EXCEEDED, ABORTED, CANCELLED, OUT_OF_RANGE and DATA_LOSS are
// ErrorKind::Unavailable (worth a retry) with retry_after from the pushback or from
// google.rpc.RetryInfo, and so is RESOURCE_EXHAUSTED where the peer sent one of these; all others,
// and a negative pushback, are Invalid.
Result<> grpc_outcome(const GrpcTrailers& trailers);

std::string_view grpc_status_name(int status);

// As grpc-message wants it: percent coding of all but printable ASCII.
std::string grpc_percent_encode(std::string_view text);
// As headers ending in -bin want it; without padding.
std::string grpc_base64(std::string_view bytes);

}  // namespace sonde::net
