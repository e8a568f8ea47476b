// SPDX-License-Identifier: Apache-2.0
#include "net/grpc/grpc_server.h"

#include <algorithm>
#include <utility>

#include "base/counters.h"
#include "net/grpc/internal/grpc_server_connection.h"
#include "net/internal/loop_impl.h"

namespace sonde::net {
namespace {

// How long a peer may need to hear that a connection ends: calls that it began before are served.
constexpr auto kLastCalls = std::chrono::milliseconds(100);
// How long one may need to greet: cut off in the middle of that it takes the server for broken.
constexpr auto kGreeting = std::chrono::seconds(1);

}  // namespace

GrpcResponder::GrpcResponder(GrpcResponder&& other) noexcept
    : connection_(std::move(other.connection_)), stream_(std::exchange(other.stream_, 0)) {}
GrpcResponder& GrpcResponder::operator=(GrpcResponder&& other) noexcept {
  if (this != &other) {
    GrpcResponder old(std::move(*this));  // answers if that was not done
    connection_ = std::move(other.connection_);
    stream_ = std::exchange(other.stream_, 0);
  }
  return *this;
}
GrpcResponder::~GrpcResponder() {
  if (stream_ == 0) return;
  fail({GrpcCode::Internal, "the call was dropped without an answer", {}});
}

void GrpcResponder::respond(Bytes message) {
  const uint32_t stream = std::exchange(stream_, 0);
  if (stream == 0) return;
  if (const auto c = connection_.lock()) c->answer(stream, std::move(message));
}

void GrpcResponder::fail(const GrpcStatus& status) {
  const uint32_t stream = std::exchange(stream_, 0);
  if (stream == 0) return;
  if (const auto c = connection_.lock()) c->refuse(stream, status);
}

GrpcServer::Impl::Impl(Loop& owner, Handler fn, GrpcServerOptions limits)
    : loop(owner), handler(std::move(fn)), options(std::move(limits)) {}

void GrpcServer::Impl::admit(Socket socket) {
  if (connections.size() >= options.max_connections) {
    static Counter& refused = counter("sonde_grpc_refused_connections_total",
                                      "gRPC connections refused because the limit was reached");
    refused.add(1);
    return;
  }
  auto connection = std::make_shared<GrpcServerConnection>(
      shared_from_this(), make_server_transport(std::move(socket), options.tls));
  connections.emplace(connection.get(), connection);
  asio::co_spawn(loop.impl().io, GrpcServerConnection::serve(std::move(connection)),
                 asio::detached);
}

Duration GrpcServer::Impl::tick_interval() const {
  Duration least = std::chrono::seconds(4);
  const GrpcServerKeepalive& keep = options.keepalive;
  for (const Duration each : {keep.max_idle, keep.max_age, keep.max_age_grace, keep.ping_after,
                              keep.ping_timeout, options.hello_timeout, options.message_timeout}) {
    if (each.count() > 0) least = std::min(least, each);
  }
  return std::max<Duration>(least / 4, std::chrono::milliseconds(1));
}

void GrpcServer::Impl::tick() {
  const int64_t now = loop.clock().monotonic_ns();
  const auto all = connections;  // a tick may end its connection
  for (const auto& [key, connection] : all) connection->tick(now);
  timer = loop.after(tick_interval(), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->tick();
  });
}

Result<std::unique_ptr<GrpcServer>> GrpcServer::listen(Loop& loop, std::string_view address,
                                                       Handler handler, GrpcServerOptions options) {
  auto accepting = options.accepting;
  auto impl = std::make_shared<Impl>(loop, std::move(handler), std::move(options));
  const std::weak_ptr<Impl> weak = impl;
  impl->listener = TRY(Listener::open(
      loop, address,
      [weak](Socket socket) {
        if (const auto self = weak.lock()) self->admit(std::move(socket));
      },
      std::move(accepting)));
  impl->listener->offer(impl, typeid(GrpcServer));
  impl->timer = loop.after(impl->tick_interval(), [weak] {
    if (const auto self = weak.lock()) self->tick();
  });
  return std::unique_ptr<GrpcServer>(new GrpcServer(std::move(impl)));
}

GrpcServer::~GrpcServer() {
  impl_->stopped = true;
  impl_->loop.cancel(impl_->timer);
  impl_->listener.reset();
  const auto all = std::exchange(impl_->connections, {});
  for (const auto& [key, connection] : all) connection->close();
}

void GrpcServer::drain() {
  if (!impl_->listener) return;
  auto next = std::static_pointer_cast<Impl>(impl_->listener->successor(typeid(GrpcServer)));
  impl_->listener.reset();
  const auto all = impl_->connections;
  if (next && !next->options.tls && !impl_->options.tls) {
    for (const auto& [key, connection] : all) connection->move_to(next);
    return;
  }
  if (all.empty()) return;
  for (const auto& [key, connection] : all) connection->retire();
  impl_->ending = true;
  impl_->end_connections(impl_->loop.clock().monotonic_ns() + Duration(kGreeting).count());
}

void GrpcServer::Impl::end_connections(int64_t by_ns) {
  loop.after(kLastCalls, [weak = weak_from_this(), by_ns] {
    const auto self = weak.lock();
    if (!self || self->stopped) return;
    const bool late = self->loop.clock().monotonic_ns() >= by_ns;
    self->ending = false;
    const auto left = self->connections;
    for (const auto& [key, connection] : left) {
      if (connection->greeted() || late) {
        connection->drain();
      } else {
        self->ending = true;
      }
    }
    if (self->ending) self->end_connections(by_ns);
  });
}

bool GrpcServer::drained() const {
  if (impl_->ending) return false;
  for (const auto& [key, connection] : impl_->connections) {
    if (connection->calls() > 0 || !connection->silent()) return false;
  }
  return true;
}

uint16_t GrpcServer::port() const { return impl_->listener ? impl_->listener->port() : 0; }
size_t GrpcServer::connections() const { return impl_->connections.size(); }

}  // namespace sonde::net
