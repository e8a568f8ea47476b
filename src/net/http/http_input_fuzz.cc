// SPDX-License-Identifier: Apache-2.0
// Reads bytes, in pieces whose size they say themselves, as requests and as responses, the way a
// connection does: what comes out must not depend on the pieces.
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstdint>

#include "net/http/internal/http_input.h"
#include "net/socket/proxy.h"
#include "net/testing/memory_transport.h"

namespace {

using namespace sonde::net;
namespace http = boost::beast::http;

// The bodies of all messages, and how it ended.
template <bool kRequest>
asio::awaitable<void> read_all(std::string_view bytes, size_t piece, std::string& out) {
  MemoryTransport transport(bytes, piece);
  HttpInput input(64 * 1024);
  for (;;) {
    http::parser<kRequest, http::string_body> parser;
    parser.header_limit(4096);
    parser.body_limit(4096);
    auto error = co_await input.read_header(transport, parser);
    if (!error && !parser.is_done()) error = co_await input.read_all(transport, parser);
    if (error) {
      // Which of several mistakes is found first may depend on the pieces.
      out += error == http::error::end_of_stream ? "end" : "error";
      co_return;
    }
    if (parser.get().body().size() > 4096) __builtin_trap();
    out += parser.get().body() + "|";
  }
}

template <bool kRequest>
std::string outcome(std::string_view bytes, size_t piece) {
  asio::io_context io;
  std::string out;
  asio::co_spawn(io, read_all<kRequest>(bytes, piece, out), asio::detached);
  io.run();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t piece = 1 + data[0] % 64;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (outcome<true>(bytes, piece) != outcome<true>(bytes, SIZE_MAX)) __builtin_trap();
  if (outcome<false>(bytes, piece) != outcome<false>(bytes, SIZE_MAX)) __builtin_trap();
  if (const auto proxy = parse_proxy(bytes); proxy && proxy->address.host.empty()) __builtin_trap();
  (void)is_without_proxy({"10.1.2.3", 80}, bytes);
  (void)is_without_proxy({"a.example", 80}, bytes);
  return 0;
}
