// SPDX-License-Identifier: Apache-2.0
// Feeds bytes to the message reader in two pieces, and to the reading of trailers.
#include <cstdint>

#include "net/grpc/grpc_frame.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sonde::net;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const size_t cut = size == 0 ? 0 : data[0] % (size + 1);
  GrpcMessageReader reader(1024);
  if (reader.feed(bytes.substr(0, cut)) && reader.feed(bytes.substr(cut))) {
    const auto message = reader.finish("gzip");
    const bool plain = !bytes.empty() && bytes[0] == 0;
    if (message && (plain ? message->size() + 5 != size : message->size() > 1024)) __builtin_trap();
  }
  GrpcTrailers trailers;
  trailers.http_status = 200;
  trailers.status = "8";
  trailers.message = std::string(bytes);
  trailers.details = std::string(bytes);
  trailers.pushback = std::string(bytes.substr(0, cut));
  const auto outcome = grpc_outcome(trailers);
  if (outcome || outcome.error().retry_after.count() < 0) __builtin_trap();
  return 0;
}
