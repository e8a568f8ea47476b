// SPDX-License-Identifier: Apache-2.0
#include "net/http/internal/http_client_connection.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <utility>

#include "net/compression/compression.h"

namespace sonde::net {
namespace {

namespace http = boost::beast::http;

constexpr size_t kMaxResponseHeader = 64 * 1024;

// An answer that cannot be decompressed keeps its Content-Encoding: its status still counts.
void decode(HttpResponse& response, size_t limit) {
  const auto named = [](const Header& header) {
    return equals_ignoring_case(header.name, "content-encoding");
  };
  const auto header = std::ranges::find_if(response.headers, named);
  if (header == response.headers.end()) return;
  const auto encoding = encoding_named(header->value, Carrier::Http);
  if (!encoding || *encoding == Encoding::Identity) return;
  const auto plain = decompress(*encoding, response.body, limit);
  if (!plain) return;
  response.body = std::string(plain->view());
  response.headers.erase(header);
}

}  // namespace

HttpClientConnection::HttpClientConnection(Loop& loop, const HttpClientOptions& options, Url url)
    : loop_(loop),
      url_(std::move(url)),
      tls_(url_.tls ? options.tls : nullptr),
      proxy_(options.proxy),
      timeout_(options.timeout),
      max_response_(options.max_response),
      whole_answers_(options.whole_answers),
      input_(2 * kMaxResponseHeader) {}

void HttpClientConnection::drop() {
  if (transport_) transport_->close();
  transport_.reset();
  input_.clear();
}

// The coroutine that waits for the transport takes it away once it has noticed.
void HttpClientConnection::close() {
  closed_ = true;
  if (dial_) dial_->abandon();
  if (transport_) transport_->close();
}

void HttpClientConnection::expire() {
  late_ = true;
  if (dial_) dial_->abandon();
  if (transport_) transport_->close();
}

HttpFailure HttpClientConnection::failure(error_code error, std::string_view doing) const {
  const std::string peer = url_.address.to_string();
  if (late_) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(timeout_).count();
    return {
        {ErrorKind::Unavailable, fmt::format("{} {}: no answer within {} ms", doing, peer, ms), {}},
        false};
  }
  if (error == http::error::body_limit || error == http::error::header_limit ||
      error == http::error::buffer_overflow) {
    return {{ErrorKind::Exhausted,
             fmt::format("the answer of {} is over the limit of {} bytes", peer, max_response_),
             {}},
            false};
  }
  return {{ErrorKind::Unavailable, fmt::format("{} {}: {}", doing, peer, error.message()), {}},
          false};
}

asio::awaitable<HttpAnswer> HttpClientConnection::exchange(const HttpJob& job) {
  late_ = false;
  const Duration left(job.deadline_ns - loop_.clock().monotonic_ns());
  if (left.count() <= 0) {
    late_ = true;
    co_return std::unexpected(failure({}, "waiting for a connection to"));
  }
  const TimerId timer = loop_.after(left, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->expire();
  });
  // A kept-alive connection on which anything can be read has been closed or is out of step.
  if (transport_ && !transport_->quiet()) drop();
  const bool reused = open();
  HttpAnswer answer = co_await attempt(job);
  if (!answer && answer.error().before_answer && reused && job.repeatable && !late_ && !closed_) {
    drop();
    answer = co_await attempt(job);
  }
  loop_.cancel(timer);
  if (!answer || late_ || closed_) drop();
  co_return answer;
}

asio::awaitable<HttpAnswer> HttpClientConnection::attempt(const HttpJob& job) {
  if (!transport_) {
    dial_ = std::make_unique<Dial>(loop_);
    // Without encryption the proxy is the peer.
    const bool tunnel = proxy_ && tls_;
    const Duration left(job.deadline_ns - loop_.clock().monotonic_ns());
    auto made = co_await dial_->connect(proxy_ && !tls_ ? proxy_->address : url_.address, left,
                                        tls_, tunnel ? proxy_ : std::nullopt);
    dial_.reset();
    if (!made) co_return std::unexpected(HttpFailure{std::move(made.error()), false});
    transport_ = std::move(*made);
    if (closed_ || late_) co_return std::unexpected(failure({}, "connecting to"));
  }
  const std::array<asio::const_buffer, 2> out = {asio::buffer(job.head),
                                                 asio::buffer(job.body.data(), job.body.size())};
  const auto error = co_await transport_->write(out);
  if (late_ || closed_) co_return std::unexpected(failure(error, "sending to"));
  // A peer that refuses a body answers and closes before it has read all: its answer still counts.
  auto answer = co_await read_answer(job);
  if (!answer && error && answer.error().before_answer) {
    answer.error().error = failure(error, "sending to").error;
  }
  if (error) drop();
  co_return answer;
}

asio::awaitable<HttpAnswer> HttpClientConnection::read_answer(const HttpJob& job) {
  for (;;) {
    http::response_parser<http::string_body> parser;
    parser.header_limit(kMaxResponseHeader);
    parser.body_limit(max_response_);
    parser.skip(job.head_method);
    // A body that is too long shows here where its length is said.
    auto error = co_await input_.read_header(*transport_, parser);
    const bool said_too_large = error == http::error::body_limit && !whole_answers_;
    if (error && !said_too_large) {
      HttpFailure failed = failure(error, "waiting for");
      failed.before_answer = !parser.got_some() && !late_;
      co_return std::unexpected(std::move(failed));
    }
    const int status = static_cast<int>(parser.get().result_int());
    if (status == 101) {
      co_return std::unexpected(HttpFailure{
          {ErrorKind::Invalid, "the peer switched to a protocol that was not asked for", {}},
          false});
    }
    if (status < 200) continue;  // 100 Continue and the like; the real answer follows
    HttpResponse response;
    response.whole = !said_too_large;
    if (response.whole && !parser.is_done()) {
      if (const auto cut = co_await input_.read_all(*transport_, parser)) {
        if (cut != http::error::body_limit || whole_answers_)
          co_return std::unexpected(failure(cut, "reading from"));
        response.whole = false;
      }
    }
    const bool keep = response.whole && parser.keep_alive();
    auto message = parser.release();
    response.status = status;
    for (const auto& field : message) {
      response.headers.push_back({std::string(field.name_string()), std::string(field.value())});
    }
    if (response.whole) response.body = std::move(message.body());
    decode(response, max_response_);
    if (!keep || !input_.empty()) drop();
    co_return response;
  }
}

}  // namespace sonde::net
