// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/write.hpp>
#include <cerrno>

#include "net/internal/loop_impl.h"
#include "net/internal/tls_transport.h"
#include "net/internal/transport.h"

namespace sonde::net {
namespace {

constexpr size_t kMaxTunnelHead = 16 * 1024;
// Of the time, for one of several addresses: the most has room for one SYN that is lost.
constexpr Duration kLeastShare = std::chrono::milliseconds(250);
constexpr Duration kMostShare = std::chrono::seconds(3);

}  // namespace

// A socket that waits would wait for a peer that takes nobody from its full queue, and with it the
// whole loop. Asio's own connect() takes the refusal of one that does not wait for a success.
error_code connect_unix(UnixSocket& socket, std::string_view path) {
  error_code error;
  socket.open(UnixSocket::protocol_type(), error);
  if (!error) socket.native_non_blocking(true, error);
  if (error) return error;
  ::fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);
  const UnixSocket::endpoint_type peer{std::string(path)};
  if (::connect(socket.native_handle(), peer.data(), static_cast<socklen_t>(peer.size())) == 0) {
    return {};
  }
  return {errno, boost::system::system_category()};
}

Dial::Dial(Loop& on) : loop(on), socket(on.impl().io), names(on) {}

void Dial::abandon() {
  abandoned = true;
  names.cancel();
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

// One that says nothing within the share leaves the others of the time.
asio::awaitable<error_code> Dial::try_address(Tcp::endpoint endpoint,
                                              std::optional<Duration> share) {
  error_code ignored;
  socket.close(ignored);
  TimerId timer = 0;
  if (share) {
    timer = loop.after(*share, [this] {
      error_code closed;
      socket.close(closed);
    });
  }
  const auto [error] = co_await socket.async_connect(endpoint, kAwait);
  loop.cancel(timer);
  if (!error && !socket.is_open()) co_return asio::error::timed_out;
  co_return error;
}

asio::awaitable<Result<>> Dial::connect_tcp(Address address, Duration limit) {
  const int64_t deadline = loop.clock().monotonic_ns() + limit.count();
  std::vector<Tcp::endpoint> found;
  error_code error;
  if (const auto ip = asio::ip::make_address(address.host, error); !error) {
    found.emplace_back(ip, address.port);
  } else {
    auto named = co_await names.find(address.host, address.port);
    if (!named) co_return std::unexpected(std::move(named.error()));
    found = std::move(*named);
  }
  for (size_t i = 0; i < found.size() && !abandoned; ++i) {
    std::optional<Duration> share;
    if (const size_t left = found.size() - i; left > 1) {
      const Duration time(deadline - loop.clock().monotonic_ns());
      share = std::clamp<Duration>(time / left, kLeastShare, kMostShare);
    }
    error = co_await try_address(found[i], share);
    if (!error) break;
  }
  if (error || abandoned) {
    co_return fail(ErrorKind::Unavailable,
                   fmt::format("cannot connect to {}: {}", address.to_string(),
                               abandoned ? "timed out" : error.message()));
  }
  error_code ignored;
  socket.set_option(Tcp::no_delay(true), ignored);
  ::fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);
  co_return Result<>();
}

// The answer is read byte by byte: what follows its header is the peer's already.
asio::awaitable<Result<>> Dial::open_tunnel(Address address, Proxy proxy) {
  const std::string target = address.to_string();
  const auto failed = [&](std::string_view why) {
    return fail(ErrorKind::Unavailable,
                fmt::format("the proxy {} opened no tunnel to {}: {}", proxy.address.to_string(),
                            target, abandoned ? "timed out" : why));
  };
  std::string request = fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n", target);
  if (!proxy.authorization.empty()) {
    request += fmt::format("Proxy-Authorization: {}\r\n", proxy.authorization);
  }
  request += "User-Agent: sonde\r\n\r\n";
  const auto [unsent, size] = co_await asio::async_write(socket, asio::buffer(request), kAwait);
  if (unsent || abandoned) co_return failed(unsent.message());
  std::string head;
  while (!head.ends_with("\r\n\r\n")) {
    char byte = 0;
    const auto [error, n] = co_await socket.async_read_some(asio::buffer(&byte, 1), kAwait);
    if (error || abandoned) co_return failed(error.message());
    head += byte;
    if (head.size() > kMaxTunnelHead) co_return failed("its answer does not end");
  }
  const std::string_view status = std::string_view(head).substr(0, head.find("\r\n"));
  const size_t space = std::min(status.find(' '), status.size());
  if (!status.starts_with("HTTP/1.") || !status.substr(space).starts_with(" 2")) {
    co_return failed(status.substr(0, 200));
  }
  co_return Result<>();
}

asio::awaitable<Result<std::unique_ptr<Transport>>> Dial::connect(Address address, Duration limit,
                                                                  TlsContextPtr tls,
                                                                  std::optional<Proxy> proxy) {
  if (const auto path = address.unix_path(); !path.empty()) {
    UnixSocket local(loop.impl().io);
    if (const error_code error = connect_unix(local, path)) {
      co_return fail(ErrorKind::Unavailable,
                     fmt::format("cannot connect to {}: {}", address.to_string(), error.message()));
    }
    co_return co_await ready(Socket(std::move(local)), OwnPort(), "localhost", std::move(tls));
  }
  auto connected = co_await connect_tcp(proxy ? proxy->address : address, limit);
  if (connected && proxy) connected = co_await open_tunnel(address, std::move(*proxy));
  if (!connected) co_return std::unexpected(std::move(connected.error()));
  error_code ignored;
  OwnPort near_end = OwnPort::connected(socket.local_endpoint(ignored).port(),
                                        socket.remote_endpoint(ignored).port());
  co_return co_await ready(Socket(std::move(socket)), std::move(near_end), address.host,
                           std::move(tls));
}

}  // namespace sonde::net
