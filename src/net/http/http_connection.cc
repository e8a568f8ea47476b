// SPDX-License-Identifier: Apache-2.0
#include "net/http/internal/http_connection.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "net/http/internal/http2_server_connection.h"
#include "net/internal/loop_impl.h"

namespace sonde::net {
namespace {

constexpr auto kLinger = std::chrono::seconds(2);
constexpr size_t kReadAhead = 64 * 1024;
constexpr size_t kWorthReading = 64 * 1024;  // of a request that is refused

}  // namespace

HttpConnection::HttpConnection(std::shared_ptr<Core> core, std::unique_ptr<Transport> transport)
    : core_(std::move(core)),
      transport_(std::move(transport)),
      input_(core_->options.max_header + kReadAhead),
      wake_(core_->loop.impl().io) {}

void HttpConnection::answer(uint64_t exchange, Response response,
                            std::shared_ptr<Stream::State> stream,
                            std::move_only_function<void()> on_close) {
  if (http2_ && stream) response = {501, "text/plain", "streams need HTTP/1.1 here\n", {}};
  if (http2_) http2_->answer(exchange, std::move(response));
  if (exchange != exchange_ || answer_ || !open_) {
    if (stream) {
      const std::lock_guard lock(stream->mutex);
      stream->gone = true;
    }
    return;
  }
  annotate(response, origin_, method_);
  answer_ = std::move(response);
  out_ = std::move(stream);
  on_close_ = std::move(on_close);
  wake();
}

std::optional<Response> HttpConnection::preflight(const Request& request) const {
  const Cors* const cors = core_->options.cors.get();
  if (cors == nullptr || !Cors::is_preflight(request)) return std::nullopt;
  Response response = cors->preflight(request);
  const auto& more = core_->options.response_headers;
  response.headers.insert(response.headers.end(), more.begin(), more.end());
  return response;
}

std::optional<Identified> HttpConnection::who_sent(const Request& request,
                                                   IdentifiedLater later) const {
  const HttpServerOptions& options = core_->options;
  if (!options.identify || (options.cors && Cors::is_preflight(request))) return Sender();
  return options.identify(request, std::move(later));
}

void HttpConnection::handle(Request& request, uint64_t exchange) {
  core_->handler(request, Responder(weak_from_this(), &core_->loop, exchange));
}

void HttpConnection::annotate(Response& response, std::string_view origin,
                              std::string_view method) const {
  const HttpServerOptions& options = core_->options;
  const auto& more = options.response_headers;
  response.headers.insert(response.headers.end(), more.begin(), more.end());
  if (options.cors) options.cors->annotate(origin, method, response.headers);
}

void HttpConnection::abort() {
  open_ = false;
  on_close_ = {};
  if (http2_) return http2_->close();
  transport_->close();
  wake();
}

void HttpConnection::peer_gone() {
  open_ = false;
  if (out_) {
    const std::lock_guard lock(out_->mutex);
    out_->gone = true;
    out_->pending.clear();
  }
  if (on_close_ && !core_->stopped) std::exchange(on_close_, {})();
  on_close_ = {};
  wake();
}

void HttpConnection::drain(const std::shared_ptr<Core>& next) {
  if (!open_ || out_) return;
  if (http2_) return http2_->drain();
  next_ = next;
  last_ = !next;
  if (waiting_) move_on();
}

void HttpConnection::close_if_waiting(bool fresh) {
  if (last_ && waiting_ && (fresh || exchange_ > 0)) transport_->close();
}

void HttpConnection::move_on() {
  const auto next = next_.lock();
  if (!next || next->stopped) return;
  next_.reset();
  core_->connections.erase(this);
  core_ = next;
  core_->connections.emplace(this, weak_from_this());
}

// By its first bytes, in the clear as after TLS: no request of HTTP/1 begins as HTTP/2's preface.
asio::awaitable<bool> HttpConnection::speaks_http2() {
  constexpr std::string_view kEnough = http2::kPreface.substr(0, 3);
  const HttpServerOptions& limits = core_->options;
  start_timer(std::min(limits.idle_timeout, limits.header_timeout), Late::Close);
  waiting_ = true;
  const auto failed = co_await input_.wait(*transport_);
  waiting_ = false;
  if (failed) co_return false;
  while (input_.pending().size() < kEnough.size() && kEnough.starts_with(input_.pending())) {
    if (co_await input_.wait_more(*transport_)) co_return false;
  }
  stop_timer();
  co_return input_.pending().starts_with(kEnough);
}

asio::awaitable<void> HttpConnection::serve(std::shared_ptr<HttpConnection> self) {
  HttpConnection& c = *self;
  if (c.core_->options.http2 && co_await c.speaks_http2() && c.open_) {
    c.http2_ =
        std::make_shared<Http2ServerConnection>(c.core_, c, std::exchange(c.transport_, nullptr));
    co_await Http2ServerConnection::serve(c.http2_, c.input_.take_pending());
    c.open_ = false;
  }
  while (c.open_) {
    c.move_on();
    {
      Request request;
      const Next next = co_await c.read_request(request);
      if (next == Next::End || !c.open_ || c.core_->stopped) break;
      if (next == Next::Again) continue;
      c.head_ = request.head;
      c.answer_.reset();
      ++c.exchange_;
      c.answer_ = c.preflight(request);
      if (!c.answer_) c.handle(request, c.exchange_);
    }
    while (!c.answer_ && c.open_) {
      c.wake_.expires_at(asio::steady_timer::time_point::max());
      co_await c.wake_.async_wait(kAwait);
    }
    if (!c.open_) break;
    if (c.out_) {
      co_await c.run_stream();
      break;
    }
    const bool keep_alive = c.keep_alive_ && !c.last_;
    const bool written = co_await c.write(*c.answer_, keep_alive);
    // The next request may be long in coming.
    c.answer_->body = {};
    c.answer_->held.reset();
    if (!written) break;
    if (!keep_alive) {
      co_await c.linger();
      break;
    }
  }
  c.peer_gone();
  if (c.transport_) c.transport_->close();
  c.core_->connections.erase(self.get());
}

void HttpConnection::start_timer(Duration limit, Late late) {
  deadline_ns_ = core_->loop.clock().monotonic_ns() + limit.count();
  late_ = late;
}

void HttpConnection::tick(int64_t now_ns) {
  if (http2_) return http2_->tick(now_ns);
  if (deadline_ns_ == 0 || now_ns < deadline_ns_) return;
  stop_timer();
  if (late_ == Late::EndRead) return input_.expire(*transport_);
  transport_->close();
  wake();  // from waiting for somebody else
}

asio::awaitable<HttpConnection::Next> HttpConnection::read_request(Request& request) {
  if (input_.empty()) {
    const HttpServerOptions& limits = core_->options;
    // Only a peer that has been served before may be silent for long.
    const bool fresh = exchange_ == 0;
    start_timer(fresh ? std::min(limits.idle_timeout, limits.header_timeout) : limits.idle_timeout,
                Late::Close);
    waiting_ = true;
    const auto failed = co_await input_.wait(*transport_);
    waiting_ = false;
    if (failed) co_return Next::End;
  }
  // The server may have become another while nothing came; while something comes it stays.
  const auto core = core_;
  const HttpServerOptions& limits = core->options;
  RequestParser parser;
  parser.header_limit(static_cast<uint32_t>(limits.max_header));
  parser.body_limit(limits.max_body);
  start_timer(limits.header_timeout, Late::EndRead);
  const auto error = co_await input_.read_header(*transport_, parser);
  std::optional<Refusal> refusal = error ? refusal_of(error) : take_head(parser, request);
  if (error && !refusal) co_return Next::End;
  http10_ = parser.get().version() == 10;
  if (refusal) co_return co_await refuse(response_of(*refusal));
  keep_alive_ = parser.keep_alive() && limits.keep_alive;
  request.peer = transport_->peer();
  if (limits.cors) {
    method_ = request.method;
    origin_ = request.header("Origin");
  }
  stop_timer();
  Next next = co_await identify(request, parser.is_done());
  if (next == Next::Handle && !parser.is_done()) next = co_await read_body(parser, request);
  if (next != Next::Handle) co_return next;
  stop_timer();
  take_body(parser, request);
  co_return Next::Handle;
}

asio::awaitable<HttpConnection::Next> HttpConnection::identify(Request& request, bool whole) {
  const uint64_t asked = ++asked_;
  identified_ = who_sent(request, [weak = weak_from_this(), asked](Identified identified) {
    const auto self = weak.lock();
    if (!self || self->asked_ != asked) return;
    self->identified_ = std::move(identified);
    self->wake();
  });
  start_timer(core_->options.body_timeout, Late::Close);
  // Nothing is read meanwhile: what the peer goes on to send waits in the kernel.
  while (!identified_ && open_ && deadline_ns_ != 0) {
    wake_.expires_at(asio::steady_timer::time_point::max());
    co_await wake_.async_wait(kAwait);
  }
  stop_timer();
  ++asked_;
  if (!open_ || !identified_) co_return Next::End;
  if (*identified_) {
    request.sender = std::move(**identified_);
    co_return Next::Handle;
  }
  Response refusal = std::move(identified_->error());
  annotate(refusal, origin_, method_);
  if (!whole) co_return co_await refuse(std::move(refusal));
  head_ = request.head;
  const bool keep_alive = keep_alive_ && !last_;
  const bool again = co_await write(refusal, keep_alive) && keep_alive;
  co_return again ? Next::Again : Next::End;
}

asio::awaitable<HttpConnection::Next> HttpConnection::read_body(RequestParser& parser,
                                                                Request& request) {
  std::optional<Response> refused;
  if (core_->options.admit) {
    const auto said = parser.content_length();
    const auto length = said ? std::optional<size_t>(static_cast<size_t>(*said)) : std::nullopt;
    Admitted admitted = core_->options.admit(request, length);
    if (admitted) {
      request.admission = std::move(*admitted);
    } else if (length.value_or(SIZE_MAX) > kWorthReading) {
      co_return co_await refuse(std::move(admitted.error()));
    } else {
      // Reading a small body costs less than another connection would.
      refused = std::move(admitted.error());
    }
  }
  start_timer(core_->options.body_timeout, Late::EndRead);
  if (input_.empty() && !http10_ &&
      equals_ignoring_case(parser.get()[http::field::expect], "100-continue")) {
    if (refused) co_return co_await refuse(std::move(*refused));
    const std::array<asio::const_buffer, 1> line = {
        asio::buffer(std::string_view("HTTP/1.1 100 Continue\r\n\r\n"))};
    if (co_await transport_->write(line)) co_return Next::End;
  }
  if (const auto error = co_await input_.read_all(*transport_, parser)) {
    const auto refusal = refusal_of(error);
    if (!refusal) co_return Next::End;
    co_return co_await refuse(refused ? std::move(*refused) : response_of(*refusal));
  }
  if (!refused) co_return Next::Handle;
  const bool keep_alive = keep_alive_ && !last_;
  const bool again = co_await write(*refused, keep_alive) && keep_alive;
  co_return again ? Next::Again : Next::End;
}

Response response_of(const Refusal& refusal) {
  Response response;
  response.status = refusal.status;
  response.content_type = "text/plain; charset=utf-8";
  response.body = refusal.why + "\n";
  if (refusal.come_back) response.headers.push_back({"Retry-After", "1"});
  return response;
}

asio::awaitable<HttpConnection::Next> HttpConnection::refuse(Response response) {
  head_ = false;
  if (co_await write(response, false)) co_await linger();
  co_return Next::End;
}

asio::awaitable<bool> HttpConnection::write(const Response& response, bool keep_alive) {
  const std::string head = response_head(response, response.body.size(), keep_alive, false,
                                         core_->loop.clock().unix_ns());
  const bool bodyless = head_ || response.status == 204 || response.status == 304;
  const std::array<asio::const_buffer, 2> buffers = {
      asio::buffer(head), bodyless ? asio::const_buffer() : asio::buffer(response.body)};
  start_timer(core_->options.write_timeout, Late::Close);
  const auto error = co_await transport_->write(buffers);
  stop_timer();
  co_return !error;
}

asio::awaitable<void> HttpConnection::run_stream() {
  const bool chunked = !http10_;
  const auto state = out_;
  std::string bytes =
      response_head(*answer_, std::nullopt, false, chunked, core_->loop.clock().unix_ns());
  const auto frame = [chunked](std::string_view body) {
    if (body.empty()) return std::string();
    return chunked ? fmt::format("{:x}\r\n{}\r\n", body.size(), body) : std::string(body);
  };
  if (!head_) bytes += frame(answer_->body);
  asio::co_spawn(core_->loop.impl().io, watch_peer(shared_from_this()), asio::detached);
  bool last = head_;
  while (open_) {
    if (!bytes.empty()) {
      const std::array<asio::const_buffer, 1> out = {asio::buffer(bytes)};
      start_timer(core_->options.write_timeout, Late::Close);
      const auto error = co_await transport_->write(out);
      stop_timer();
      if (error || !open_) co_return;
      bytes.clear();
    }
    if (last) break;
    {
      const std::lock_guard lock(state->mutex);
      state->notified = false;
      if (state->gone) co_return;  // too far behind: cut off
      bytes = frame(state->pending);
      state->pending.clear();
      last = state->closed;
      if (last && chunked) bytes += "0\r\n\r\n";
    }
    if (bytes.empty() && !last) {
      wake_.expires_at(asio::steady_timer::time_point::max());
      co_await wake_.async_wait(kAwait);
    }
  }
  on_close_ = {};
  transport_->shutdown_send();
}

// While a stream is written nothing is expected from the peer, so a read can only say that it left.
asio::awaitable<void> HttpConnection::watch_peer(std::shared_ptr<HttpConnection> self) {
  std::array<char, 512> ignored;
  while (self->open_) {
    const auto failed = co_await self->transport_->wait_readable();
    if (failed || !self->open_) break;
    const auto [error, n] = self->transport_->read(asio::buffer(ignored));
    if (error && error != asio::error::would_block && error != asio::error::try_again) break;
  }
  if (self->open_) self->peer_gone();
}

// Closing with unread bytes resets the connection, and the peer would lose the answer just written.
asio::awaitable<void> HttpConnection::linger() {
  transport_->shutdown_send();
  std::array<char, 16384> sink;
  start_timer(kLinger, Late::Close);
  while (open_) {
    if (co_await transport_->wait_readable()) break;
    const auto [error, n] = transport_->read(asio::buffer(sink));
    if (error && error != asio::error::would_block && error != asio::error::try_again) break;
  }
}

}  // namespace sonde::net
