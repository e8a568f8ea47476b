// SPDX-License-Identifier: Apache-2.0
// Feeds bytes to the request parser of the HTTP server and to all that reads its result.
#include <cstdint>

#include "net/http/internal/http_parse.h"
#include "net/socket/address.h"
#include "net/socket/port_owner.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sonde::net;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Request request;
  if (!parse_request(bytes, 16 * 1024, 4096, request)) {
    if (request.path.empty() || (request.path[0] != '/' && request.path != "*")) __builtin_trap();
    if (request.body.size() > 4096) __builtin_trap();
    (void)request.query_param("range");
  }
  if (retry_after(bytes, 0).count() < 0) __builtin_trap();
  (void)parse_url(bytes);
  (void)parse_address(bytes);
  (void)listening_inodes(bytes, 4317);
  return 0;
}
