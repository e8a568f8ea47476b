// SPDX-License-Identifier: Apache-2.0
#include "net/internal/transport.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <cstring>

#include "net/internal/loop_impl.h"
#include "net/internal/tls_transport.h"

namespace sonde::net {

std::string peer_name(const Socket& socket) {
  error_code error;
  const auto remote = socket.remote_endpoint(error);
  if (error) return "unknown";
  if (remote.protocol().family() == AF_UNIX) return "unix";
  Tcp::endpoint endpoint;
  if (remote.size() > endpoint.capacity()) return "unknown";
  std::memcpy(endpoint.data(), remote.data(), remote.size());
  endpoint.resize(remote.size());
  return Address{endpoint.address().to_string(), endpoint.port()}.to_string();
}

namespace {

class PlainTransport final : public Transport {
 public:
  PlainTransport(Socket socket, OwnPort near_end)
      : socket_(std::move(socket)), near_end_(std::move(near_end)), peer_(peer_name(socket_)) {}

  asio::awaitable<error_code> wait_readable() override {
    const auto [error] = co_await socket_.async_wait(Socket::wait_read, kAwait);
    co_return error;
  }
  Io read(asio::mutable_buffer into) override {
    return outcome(::recv(socket_.native_handle(), into.data(), into.size(), MSG_DONTWAIT));
  }
  Io read(asio::mutable_buffer first, asio::mutable_buffer second) override {
    iovec parts[] = {{first.data(), first.size()}, {second.data(), second.size()}};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = std::size(parts);
    return outcome(::recvmsg(socket_.native_handle(), &message, MSG_DONTWAIT));
  }
  Io write_some(std::span<const asio::const_buffer> buffers) override {
    std::array<iovec, 64> parts;
    size_t count = 0;
    for (const auto& buffer : buffers.first(std::min(buffers.size(), parts.size()))) {
      parts[count++] = {const_cast<void*>(buffer.data()), buffer.size()};
    }
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = count;
    const ssize_t n = ::sendmsg(socket_.native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n >= 0) return {{}, static_cast<size_t>(n)};
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {{}, 0};
    return {error_code(errno, boost::system::system_category()), 0};
  }
  asio::awaitable<error_code> write(std::span<const asio::const_buffer> buffers) override {
    const auto [error, n] = co_await asio::async_write(socket_, buffers, kAwait);
    co_return error;
  }
  void shutdown_send() override {
    error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
  }
  void cancel() override {
    error_code ignored;
    socket_.cancel(ignored);
  }
  void close() override {
    error_code ignored;
    socket_.close(ignored);
  }
  bool quiet() override {
    char byte = 0;
    return ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
           errno == EAGAIN;
  }
  const std::string& peer() const override { return peer_; }

 private:
  static Io outcome(ssize_t n) {
    if (n > 0) return {{}, static_cast<size_t>(n)};
    if (n == 0) return {asio::error::eof, 0};
    return {error_code(errno, boost::system::system_category()), 0};
  }

  Socket socket_;
  OwnPort near_end_;
  std::string peer_;
};

}  // namespace

std::unique_ptr<Transport> make_plain_transport(Socket socket, OwnPort near_end) {
  return std::make_unique<PlainTransport>(std::move(socket), std::move(near_end));
}

std::unique_ptr<Transport> make_server_transport(Socket socket, TlsContextPtr tls) {
  if (!tls) return make_plain_transport(std::move(socket));
  return make_tls_transport(std::move(socket), std::move(tls));
}

Dial::Dial(Loop& on) : loop(on), socket(on.impl().io), resolver(on.impl().io) {}

void Dial::abandon() {
  abandoned = true;
  resolver.cancel();
  error_code ignored;
  socket.close(ignored);
  if (handshaking != nullptr) handshaking->close();
}

asio::awaitable<Result<std::unique_ptr<Transport>>> Dial::ready(Socket connected, OwnPort near_end,
                                                                std::string host,
                                                                TlsContextPtr tls) {
  if (!tls) co_return make_plain_transport(std::move(connected), std::move(near_end));
  auto transport = make_tls_transport(std::move(connected), std::move(tls), std::move(near_end));
  handshaking = transport.get();
  auto shaken = co_await transport->handshake(host);
  handshaking = nullptr;
  if (abandoned) {
    co_return fail(ErrorKind::Unavailable, fmt::format("TLS with {}: timed out", host));
  }
  if (!shaken) co_return std::unexpected(std::move(shaken.error()));
  co_return std::unique_ptr<Transport>(std::move(transport));
}

asio::awaitable<Result<std::unique_ptr<Transport>>> Dial::connect(Address address,
                                                                  TlsContextPtr tls) {
  const auto failed = [&](const error_code& error) {
    return fail(ErrorKind::Unavailable, fmt::format("cannot connect to {}: {}", address.to_string(),
                                                    abandoned ? "timed out" : error.message()));
  };
  if (const auto path = address.unix_path(); !path.empty()) {
    asio::local::stream_protocol::socket local(loop.impl().io);
    error_code error;  // Connecting to a unix socket never waits for its peer.
    local.connect(asio::local::stream_protocol::endpoint(std::string(path)), error);
    if (error) co_return failed(error);
    ::fcntl(local.native_handle(), F_SETFD, FD_CLOEXEC);
    co_return co_await ready(Socket(std::move(local)), OwnPort(), "localhost", std::move(tls));
  }
  error_code numeric;
  const auto ip = asio::ip::make_address(address.host, numeric);
  if (!numeric) {
    const auto [error] = co_await socket.async_connect(Tcp::endpoint(ip, address.port), kAwait);
    if (error || abandoned) co_return failed(error);
  } else {
    const auto [error, found] = co_await resolver.async_resolve(
        address.host, fmt::format("{}", address.port), Tcp::resolver::numeric_service, kAwait);
    if (abandoned) co_return failed(error);
    if (error) {
      co_return fail(ErrorKind::Unavailable,
                     fmt::format("cannot find host \"{}\": {}", address.host, error.message()));
    }
    const auto [refused, endpoint] = co_await asio::async_connect(socket, found, kAwait);
    if (refused || abandoned) co_return failed(refused);
  }
  error_code ignored;
  socket.set_option(Tcp::no_delay(true), ignored);
  ::fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);
  OwnPort near_end = OwnPort::connected(socket.local_endpoint(ignored).port(),
                                        socket.remote_endpoint(ignored).port());
  co_return co_await ready(Socket(std::move(socket)), std::move(near_end), address.host,
                           std::move(tls));
}

}  // namespace sonde::net
