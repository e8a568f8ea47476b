// SPDX-License-Identifier: Apache-2.0
#include "net/internal/transport.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include <array>
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

}  // namespace sonde::net
