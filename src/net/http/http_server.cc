// SPDX-License-Identifier: Apache-2.0
#include "net/http/http_server.h"

#include <fmt/core.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "base/counters.h"
#include "net/http/internal/http_connection.h"
#include "net/internal/loop_impl.h"

namespace sonde::net {
namespace {

// How long a connection that is to end waits for a request that may be on its way, and one that has
// just begun for its first, before which it may have to agree on keys.
constexpr auto kLastRequest = std::chrono::milliseconds(250);
constexpr auto kFirstRequest = std::chrono::seconds(1);

}  // namespace

using std::chrono::milliseconds;
using std::chrono::seconds;

void Stream::State::notify(std::unique_lock<std::mutex> lock) {
  if (std::exchange(notified, true)) return;
  lock.unlock();
  loop->post([weak = connection] {
    if (const auto c = weak.lock()) c->wake();
  });
}

Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&& other) noexcept {
  if (this != &other) {
    close();
    state_ = std::move(other.state_);
  }
  return *this;
}
Stream::~Stream() { close(); }

bool Stream::write(std::string bytes) {
  if (!state_) return false;
  std::unique_lock lock(state_->mutex);
  if (state_->gone || state_->closed) return false;
  if (bytes.size() > state_->max_backlog - state_->pending.size()) {
    state_->gone = true;
    state_->pending.clear();
    state_->notify(std::move(lock));
    return false;
  }
  if (state_->pending.empty()) {
    state_->pending = std::move(bytes);
  } else {
    state_->pending += bytes;
  }
  state_->notify(std::move(lock));
  return true;
}

bool Stream::event(std::string_view name, std::string_view data) {
  std::string out;
  if (!name.empty()) out = fmt::format("event: {}\n", name);
  do {
    const size_t eol = std::min(data.find('\n'), data.size());
    out += fmt::format("data: {}\n", data.substr(0, eol));
    data.remove_prefix(std::min(eol + 1, data.size()));
  } while (!data.empty());
  out += '\n';
  return write(std::move(out));
}

bool Stream::open() const {
  if (!state_) return false;
  const std::lock_guard lock(state_->mutex);
  return !state_->gone && !state_->closed;
}

void Stream::close() {
  if (!state_) return;
  const auto state = std::move(state_);
  state_.reset();
  std::unique_lock lock(state->mutex);
  if (std::exchange(state->closed, true) || state->gone) return;
  state->notify(std::move(lock));
}

Responder::Responder(std::weak_ptr<HttpConnection> connection, Loop* loop, uint64_t exchange)
    : connection_(std::move(connection)), loop_(loop), exchange_(exchange) {}
Responder::Responder(Responder&& other) noexcept
    : connection_(std::move(other.connection_)),
      loop_(std::exchange(other.loop_, nullptr)),
      exchange_(other.exchange_) {}
Responder& Responder::operator=(Responder&& other) noexcept {
  if (this != &other) {
    Responder old(std::move(*this));  // answers if that was not done
    connection_ = std::move(other.connection_);
    loop_ = std::exchange(other.loop_, nullptr);
    exchange_ = other.exchange_;
  }
  return *this;
}
Responder::~Responder() {
  if (loop_ == nullptr) return;
  respond({.status = 500,
           .content_type = "text/plain; charset=utf-8",
           .body = "the request was dropped without an answer\n",
           .headers = {}});
}

void Responder::respond(Response response) {
  Loop* const loop = std::exchange(loop_, nullptr);
  if (loop == nullptr) return;
  auto connection = connection_.lock();
  if (!connection) return;
  if (loop->in_loop_thread()) {
    connection->answer(exchange_, std::move(response), nullptr, {});
    return;
  }
  loop->post([c = std::move(connection), id = exchange_, r = std::move(response)]() mutable {
    c->answer(id, std::move(r), nullptr, {});
  });
}

Stream Responder::start_stream(Response response, std::move_only_function<void()> on_close) {
  Stream stream;
  Loop* const loop = std::exchange(loop_, nullptr);
  if (loop == nullptr) return stream;
  stream.state_ = std::make_shared<Stream::State>();
  stream.state_->loop = loop;
  stream.state_->connection = connection_;
  auto connection = connection_.lock();
  if (!connection) {
    stream.state_->gone = true;
    return stream;
  }
  stream.state_->max_backlog = connection->max_backlog();
  auto fn = [c = std::move(connection), id = exchange_, r = std::move(response),
             state = stream.state_, on_close = std::move(on_close)]() mutable {
    c->answer(id, std::move(r), std::move(state), std::move(on_close));
  };
  if (loop->in_loop_thread()) {
    fn();
  } else {
    loop->post(std::move(fn));
  }
  return stream;
}

HttpServer::Impl::Impl(Loop& owner, Handler fn, HttpServerOptions limits)
    : loop(owner), handler(std::move(fn)), options(std::move(limits)) {}

void HttpServer::Impl::tick() {
  const int64_t now = loop.clock().monotonic_ns();
  // A tick only wakes what waits, so the table stays as it is.
  for (const auto& [key, weak] : connections) key->tick(now);
}

void HttpServer::Impl::admit(Socket socket) {
  if (connections.size() >= options.max_connections) {
    static Counter& refused = counter("sonde_http_refused_connections_total",
                                      "HTTP connections refused because the limit was reached");
    refused.add(1);
    if (options.tls) return;
    static constexpr std::string_view kBusy =
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n"
        "Connection: close\r\n\r\n";
    // One try without waiting: whoever is over the limit gets no memory of ours.
    [[maybe_unused]] const auto sent =
        ::send(socket.native_handle(), kBusy.data(), kBusy.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    return;
  }
  auto connection = std::make_shared<HttpConnection>(
      shared_from_this(), make_server_transport(std::move(socket), options.tls));
  connections.emplace(connection.get(), connection);
  asio::co_spawn(loop.impl().io, HttpConnection::serve(std::move(connection)), asio::detached);
}

HttpServer::HttpServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<HttpServer>> HttpServer::listen(Loop& loop, std::string_view address,
                                                       Handler handler, HttpServerOptions options) {
  auto impl = std::make_shared<Impl>(loop, std::move(handler), std::move(options));
  const std::weak_ptr<Impl> weak = impl;
  impl->listener = TRY(Listener::open(
      loop, address,
      [weak](Socket socket) {
        if (const auto self = weak.lock()) self->admit(std::move(socket));
      },
      impl->options.accepting));
  impl->listener->offer(impl, typeid(HttpServer));
  const HttpServerOptions& limits = impl->options;
  const Duration least = std::min(
      {limits.idle_timeout, limits.header_timeout, limits.body_timeout, limits.write_timeout});
  impl->timer.start(loop, std::clamp<Duration>(least / 4, milliseconds(1), seconds(1)),
                    [core = impl.get()] { core->tick(); });
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::~HttpServer() {
  impl_->stopped = true;
  impl_->timer.stop();
  impl_->listener.reset();
  const auto connections = impl_->connections;
  for (const auto& [key, weak] : connections) {
    if (const auto connection = weak.lock()) connection->abort();
  }
}

void HttpServer::drain() {
  if (!impl_->listener) return;
  auto next = std::static_pointer_cast<Impl>(impl_->listener->successor(typeid(HttpServer)));
  impl_->listener.reset();
  if (next && (next->options.tls || impl_->options.tls)) next.reset();
  const auto all = impl_->connections;
  for (const auto& [key, weak] : all) {
    if (const auto connection = weak.lock()) connection->drain(next);
  }
  if (next || all.empty()) return;
  for (const bool fresh : {false, true}) {
    const Duration wait = fresh ? Duration(kFirstRequest) : Duration(kLastRequest);
    impl_->loop.after(wait, [core = impl_->weak_from_this(), fresh] {
      const auto self = core.lock();
      if (!self || self->stopped) return;
      for (const auto& [connection, weak] : self->connections) connection->close_if_waiting(fresh);
    });
  }
}

bool HttpServer::drained() const {
  return std::ranges::all_of(impl_->connections,
                             [](const auto& entry) { return entry.first->streams(); });
}

uint16_t HttpServer::port() const { return impl_->listener ? impl_->listener->port() : 0; }

size_t HttpServer::connections() const { return impl_->connections.size(); }

}  // namespace sonde::net
