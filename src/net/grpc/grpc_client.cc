// SPDX-License-Identifier: Apache-2.0
#include "net/grpc/grpc_client.h"

#include <fmt/core.h>

#include <utility>

#include "base/ascii.h"
#include "net/grpc/internal/grpc_connection.h"
#include "net/internal/loop_impl.h"

namespace sonde::net {
namespace {

// HTTP/2 wants lower-case names; a user's configuration may hold any case.
void lower_names(Headers& headers) {
  for (Header& header : headers) {
    header.name = lower(header.name);
  }
}

// grpc-timeout allows eight digits.
std::string grpc_timeout(Duration timeout) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count();
  return ms < 100'000'000 ? fmt::format("{}m", ms) : fmt::format("{}S", ms / 1000);
}

}  // namespace

GrpcClient::Impl::Impl(Loop& owner, GrpcClientOptions settings)
    : loop(owner),
      options(std::move(settings)),
      url(parse_url(options.endpoint, 4317)),
      timeout_header(grpc_timeout(options.timeout)) {
  lower_names(options.headers);
}

const GrpcMethod& GrpcClient::Impl::method(std::string_view path, std::string_view encoding) {
  for (const GrpcMethod& known : methods) {
    if (known.path == path && known.encoding == encoding) return known;
  }
  return methods.emplace_back(std::string(path), std::string(encoding));
}

bool GrpcClient::Impl::ready() const { return !closed && connection && connection->usable(); }

void GrpcClient::Impl::start(const GrpcCallPtr& call) {
  if (call->finished) return;
  if (closed) return finish(call, fail(ErrorKind::Unavailable, "the gRPC client is closed"));
  if (!url) return finish(call, std::unexpected(url.error()));
  if (url->tls && !options.tls) {
    return finish(call, fail(ErrorKind::Invalid,
                             fmt::format("\"{}\": https needs TLS settings", options.endpoint)));
  }
  if (call->message.size() > UINT32_MAX) {
    return finish(call, fail(ErrorKind::Invalid, "the message is larger than gRPC can carry"));
  }
  const bool usable = connection && connection->usable();
  if (!usable) connection = std::make_shared<GrpcConnection>(*this);
  const auto target = connection;
  // Before it runs: what fails at once, as a unix socket may, is over when co_spawn() returns.
  target->submit(call);
  if (!usable) asio::co_spawn(loop.impl().io, GrpcConnection::run(target), asio::detached);
}

void GrpcClient::Impl::finish(const GrpcCallPtr& call, Result<std::string> result) {
  if (std::exchange(call->finished, true)) return;
  auto done = std::move(call->done);
  const GrpcCallPtr keep = std::move(*call->place);
  calls.erase(keep->place);
  done(std::move(result));
}

void GrpcClient::Impl::retry(const GrpcCallPtr& call, std::string_view why) {
  if (call->finished) return;
  if (std::exchange(call->retried, true)) {
    return finish(call, fail(ErrorKind::Unavailable, std::string(why)));
  }
  call->stream = 0;
  call->trailers = {};
  call->reader = GrpcMessageReader(options.max_response);
  loop.post([weak = weak_from_this(), call] {
    if (const auto self = weak.lock()) self->start(call);
  });
}

void GrpcClient::Impl::expire(const GrpcCallPtr& call) {
  const auto self = shared_from_this();
  const auto target = call->connection.lock();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(options.timeout).count();
  finish(call, fail(ErrorKind::Unavailable,
                    fmt::format("DEADLINE_EXCEEDED: no answer within {} ms", ms)));
  if (!target || !target->cancel(call)) return;
  // Not one byte since the call began: the path is dead, and other calls would wait just as long.
  if (target->received() == call->received_before) target->abort("the peer stopped answering");
}

void GrpcClient::Impl::watch_first() {
  if (timer != 0 || calls.empty()) return;
  const Duration wait(calls.front()->deadline_ns - loop.clock().monotonic_ns());
  timer = loop.after(wait, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->expire_due();
  });
}

void GrpcClient::Impl::expire_due() {
  timer = 0;
  const int64_t now = loop.clock().monotonic_ns();
  while (!calls.empty() && calls.front()->deadline_ns <= now) {
    const GrpcCallPtr call = calls.front();
    expire(call);
  }
  watch_first();
}

void GrpcClient::Impl::close() {
  closed = true;
  loop.cancel(std::exchange(timer, 0));
  if (connection) std::exchange(connection, nullptr)->abort("the gRPC client was closed");
  const auto waiting = calls;
  for (const GrpcCallPtr& call : waiting) {
    finish(call, fail(ErrorKind::Unavailable, "the gRPC client was closed"));
  }
}

GrpcClient::GrpcClient(Loop& loop, GrpcClientOptions options)
    : impl_(std::make_shared<Impl>(loop, std::move(options))) {}
GrpcClient::GrpcClient(Loop& loop, std::string_view endpoint, Duration timeout)
    : GrpcClient(loop, [&] {
        GrpcClientOptions options;
        options.endpoint = std::string(endpoint);
        options.timeout = timeout;
        return options;
      }()) {}
GrpcClient::~GrpcClient() { close(); }
void GrpcClient::close() { impl_->close(); }

void GrpcClient::unary(std::string_view path, Bytes message, Callback done,
                       std::string_view encoding, Headers metadata) {
  Impl& client = *impl_;
  auto call = std::make_shared<GrpcCall>(client.options.max_response);
  call->method = &client.method(path, encoding);
  call->message = std::move(message);
  lower_names(metadata);
  call->metadata = std::move(metadata);
  call->done = std::move(done);
  call->deadline_ns = client.loop.clock().monotonic_ns() + client.options.timeout.count();
  call->place = client.calls.insert(client.calls.end(), call);
  client.watch_first();
  if (client.ready() && call->message.size() <= UINT32_MAX) {
    client.connection->submit(call);
    return;
  }
  // Posted, so that no callback runs inside unary().
  client.loop.post([weak = impl_->weak_from_this(), call] {
    if (const auto self = weak.lock()) self->start(call);
  });
}

}  // namespace sonde::net
