// SPDX-License-Identifier: Apache-2.0
// Reads HTTP/1.1 messages from a Transport with Beast's parser, for client and server. While it
// waits it holds only what no parser has taken yet, so that an idle connection pins no buffer.
#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "net/internal/asio.h"
#include "net/internal/transport.h"

namespace sonde::net {

class HttpInput {
 public:
  // The most bytes that may wait for a parser; more is http::error::buffer_overflow.
  explicit HttpInput(size_t max_pending) : max_pending_(max_pending) {}

  bool empty() const { return pending_.empty(); }
  void clear() { pending_ = {}; }
  std::string_view pending() const { return pending_; }
  std::string take_pending() { return std::exchange(pending_, {}); }
  // Ends what is being read, and all reading after it, with timed_out. The transport stays usable.
  void expire(Transport& transport);

  // Waits for the first byte of a message, if none is there.
  asio::awaitable<error_code> wait(Transport& transport);
  // Waits for more than there is.
  asio::awaitable<error_code> wait_more(Transport& transport);
  // Up to the end of the header, or of the message. Errors are the transport's or Beast's:
  // end_of_stream where nothing came before the peer's end, partial_message where something had.
  template <bool kRequest>
  asio::awaitable<error_code> read_header(Transport& transport,
                                          boost::beast::http::basic_parser<kRequest>& parser);
  template <bool kRequest>
  asio::awaitable<error_code> read_all(Transport& transport,
                                       boost::beast::http::basic_parser<kRequest>& parser);

 private:
  template <bool kRequest>
  asio::awaitable<error_code> read(Transport& transport,
                                   boost::beast::http::basic_parser<kRequest>& parser, bool all);
  // What came last, with what was pending before it; valid until the next wait.
  asio::awaitable<error_code> receive(Transport& transport, std::string_view& bytes);
  template <bool kRequest>
  std::optional<error_code> feed(boost::beast::http::basic_parser<kRequest>& parser, bool all,
                                 std::string_view bytes);

  size_t max_pending_;
  std::string pending_;
  bool expired_ = false;
};

}  // namespace sonde::net
