// SPDX-License-Identifier: Apache-2.0
#include "net/internal/http2_flush.h"

#include <array>
#include <span>
#include <string_view>
#include <vector>

namespace sonde::net::http2 {

Flushed flush(Session& session, Transport& transport) {
  Output& out = session.output();
  std::array<std::string_view, 64> pieces;
  std::array<asio::const_buffer, pieces.size()> buffers;
  for (;;) {
    session.fill();
    if (out.empty()) return {};
    while (!out.empty()) {
      const size_t count = out.front(pieces);
      for (size_t i = 0; i < count; ++i) buffers[i] = asio::buffer(pieces[i]);
      const auto [error, n] = transport.write_some(std::span(buffers).first(count));
      if (error) return {.error = error};
      if (n == 0) return {.error = {}, .blocked = true};
      out.drop_front(n);
    }
    out.clear();
  }
}

asio::awaitable<error_code> write_all(Output output, Transport& transport) {
  std::vector<std::string_view> pieces(output.pieces());
  output.front(pieces);
  std::vector<asio::const_buffer> buffers;
  for (const std::string_view piece : pieces) buffers.push_back(asio::buffer(piece));
  co_return co_await transport.write(buffers);
}

}  // namespace sonde::net::http2
