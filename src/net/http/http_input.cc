// SPDX-License-Identifier: Apache-2.0
#include "net/http/internal/http_input.h"

#include <boost/beast/http/error.hpp>
#include <memory>
#include <utility>

namespace sonde::net {
namespace {

namespace http = boost::beast::http;

constexpr size_t kReadSize = 64 * 1024;

// One for the thread: a connection reads into it and has handed everything on before it waits.
char* read_buffer() {
  thread_local std::unique_ptr<char[]> buffer(new char[kReadSize]);
  return buffer.get();
}

}  // namespace

void HttpInput::expire(Transport& transport) {
  expired_ = true;
  transport.cancel();
}

asio::awaitable<error_code> HttpInput::receive(Transport& transport, std::string_view& bytes) {
  for (;;) {
    const auto failed = co_await transport.wait_readable();
    if (expired_) co_return error_code(asio::error::timed_out);
    if (failed) co_return failed;
    const auto [error, n] = transport.read(asio::buffer(read_buffer(), kReadSize));
    if (error == asio::error::would_block || error == asio::error::try_again) continue;
    if (error) co_return error;
    bytes = {read_buffer(), n};
    co_return error_code();
  }
}

asio::awaitable<error_code> HttpInput::wait(Transport& transport) {
  if (!pending_.empty()) co_return error_code();
  co_return co_await wait_more(transport);
}

asio::awaitable<error_code> HttpInput::wait_more(Transport& transport) {
  std::string_view bytes;
  const auto error = co_await receive(transport, bytes);
  if (!error) pending_ += bytes;
  co_return error;
}

// Nothing where the parser needs more than there is.
template <bool kRequest>
std::optional<error_code> HttpInput::feed(http::basic_parser<kRequest>& parser, bool all,
                                          std::string_view bytes) {
  std::optional<error_code> ended;
  while (!bytes.empty()) {
    error_code error;
    const size_t used = parser.put(asio::buffer(bytes), error);
    bytes.remove_prefix(used);
    if (error && error != http::error::need_more) {
      ended = error;
    } else if (all ? parser.is_done() : parser.is_header_done()) {
      ended = error_code();
    } else if (!error && used > 0) {
      continue;
    }
    break;
  }
  pending_ = bytes;
  if (!ended && pending_.size() > max_pending_)
    ended = make_error_code(http::error::buffer_overflow);
  return ended;
}

template <bool kRequest>
asio::awaitable<error_code> HttpInput::read(Transport& transport,
                                            http::basic_parser<kRequest>& parser, bool all) {
  parser.eager(all);
  if (!pending_.empty()) {
    if (const auto ended = feed(parser, all, std::exchange(pending_, {}))) co_return *ended;
  }
  for (;;) {
    std::string_view bytes;
    const auto error = co_await receive(transport, bytes);
    if (error == asio::error::eof) {
      if (!parser.got_some()) co_return make_error_code(http::error::end_of_stream);
      error_code cut;
      parser.put_eof(cut);
      co_return parser.is_done() ? error_code() : make_error_code(http::error::partial_message);
    }
    if (error) co_return error;
    std::string together;
    if (!pending_.empty()) {
      together = std::move(pending_);
      together += bytes;
      bytes = together;
    }
    if (const auto ended = feed(parser, all, bytes)) co_return *ended;
  }
}

template <bool kRequest>
asio::awaitable<error_code> HttpInput::read_header(Transport& transport,
                                                   http::basic_parser<kRequest>& parser) {
  return read(transport, parser, false);
}
template <bool kRequest>
asio::awaitable<error_code> HttpInput::read_all(Transport& transport,
                                                http::basic_parser<kRequest>& parser) {
  return read(transport, parser, true);
}

template asio::awaitable<error_code> HttpInput::read_header(Transport&, http::basic_parser<true>&);
template asio::awaitable<error_code> HttpInput::read_header(Transport&, http::basic_parser<false>&);
template asio::awaitable<error_code> HttpInput::read_all(Transport&, http::basic_parser<true>&);
template asio::awaitable<error_code> HttpInput::read_all(Transport&, http::basic_parser<false>&);

}  // namespace sonde::net
