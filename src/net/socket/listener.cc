// SPDX-License-Identifier: Apache-2.0
#include "net/internal/listener.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "net/internal/loop_impl.h"
#include "net/internal/shared_socket.h"
#include "net/internal/transport.h"
#include "net/socket/own_port.h"
#include "net/socket/port_owner.h"

namespace sonde::net {

using Acceptor = asio::basic_socket_acceptor<asio::generic::stream_protocol>;

struct Listener::Impl : std::enable_shared_from_this<Impl> {
  Impl(Loop& on, Accept fn, Accepting say)
      : loop(on),
        accept(std::move(fn)),
        accepting(std::move(say)),
        acceptor(on.impl().io),
        pause(on.impl().io) {}
  void tell(const error_code& error);
  // A share of a socket that this process listens on already, where that may be had.
  bool share(const std::string& name, const asio::generic::stream_protocol& protocol);
  Result<> bind_tcp(std::string_view text);
  Result<> bind_unix(std::string_view path);
  static asio::awaitable<void> run(std::shared_ptr<Impl> self);

  Loop& loop;
  Accept accept;
  Accepting accepting;
  Acceptor acceptor;
  asio::steady_timer pause;
  std::shared_ptr<SharedSocket> socket;
  uint16_t port = 0;
  OwnPort own_port;
  bool tcp = false;
  bool failing = false;
  bool stopped = false;
};

bool Listener::Impl::share(const std::string& name,
                           const asio::generic::stream_protocol& protocol) {
  auto found = SharedSocket::find(name);
  if (!found) return false;
  const int descriptor = found->duplicate();
  if (descriptor < 0) return false;
  error_code error;
  acceptor.assign(protocol, descriptor, error);
  if (error) {
    ::close(descriptor);
    return false;
  }
  socket = std::move(found);
  return true;
}

Result<> Listener::Impl::bind_tcp(std::string_view text) {
  auto address = parse_address(text);
  if (!address) return std::unexpected(address.error());
  const auto failed = [&](const error_code& error) {
    std::string message =
        fmt::format("cannot listen on {}: {}", address->to_string(), error.message());
    if (error == asio::error::address_in_use) {
      message = fmt::format("cannot listen on {}: the port is taken", address->to_string());
      if (const auto owner = find_port_owner(address->port)) {
        message += fmt::format(" by {} (pid {})", owner->program, owner->pid);
      }
    }
    const bool denied = error == asio::error::access_denied;
    return fail(denied ? ErrorKind::Denied : ErrorKind::Unavailable, std::move(message));
  };
  error_code error;
  Tcp::endpoint endpoint;
  if (address->host.empty()) {
    endpoint = Tcp::endpoint(Tcp::v6(), address->port);
  } else if (address->host == "localhost") {
    endpoint = Tcp::endpoint(asio::ip::address_v4::loopback(), address->port);
  } else {
    const auto ip = asio::ip::make_address(address->host, error);
    if (!error) {
      endpoint = Tcp::endpoint(ip, address->port);
    } else {
      Tcp::resolver resolver(loop.impl().io);
      const auto found = resolver.resolve(address->host, "", Tcp::resolver::passive, error);
      if (error || found.empty()) {
        return fail(ErrorKind::Invalid, fmt::format("address \"{}\": host \"{}\" is not known: {}",
                                                    text, address->host, error.message()));
      }
      endpoint = Tcp::endpoint(found.begin()->endpoint().address(), address->port);
    }
  }
  const auto name_of = [](const Tcp::endpoint& e) {
    return "tcp:" + e.address().to_string() + " " + std::to_string(e.port());
  };
  tcp = true;
  if (endpoint.port() != 0 && share(name_of(endpoint), endpoint.protocol())) {
    port = endpoint.port();
    own_port = OwnPort::listening(port);
    return {};
  }
  acceptor.open(endpoint.protocol(), error);
  if (error && address->host.empty()) {  // a kernel without IPv6
    endpoint = Tcp::endpoint(Tcp::v4(), address->port);
    acceptor.open(endpoint.protocol(), error);
  }
  if (error) return failed(error);
  ::fcntl(acceptor.native_handle(), F_SETFD, FD_CLOEXEC);
  acceptor.set_option(Acceptor::reuse_address(true), error);
  if (address->host.empty() && endpoint.protocol() == Tcp::v6()) {
    acceptor.set_option(asio::ip::v6_only(false), error);
  }
  acceptor.bind(endpoint, error);
  if (error) return failed(error);
  acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return failed(error);
  Tcp::endpoint bound;
  const auto local = acceptor.local_endpoint(error);
  if (error) return failed(error);
  std::memcpy(bound.data(), local.data(), std::min(local.size(), bound.capacity()));
  port = bound.port();
  own_port = OwnPort::listening(port);
  socket = SharedSocket::make(name_of(bound), acceptor.native_handle(), {});
  return {};
}

Result<> Listener::Impl::bind_unix(std::string_view path) {
  const auto failed = [&](const error_code& error) {
    return fail(ErrorKind::Unavailable,
                fmt::format("cannot listen on unix:{}: {}", path, error.message()));
  };
  if (path.empty() || path.size() > 107) {
    return fail(ErrorKind::Invalid, fmt::format("unix:{}: a path has 1 to 107 bytes", path));
  }
  const asio::local::stream_protocol::endpoint endpoint{std::string(path)};
  error_code error;
  const std::string name = "unix:" + endpoint.path();
  if (share(name, endpoint.protocol())) return {};
  // A socket that nobody answers on was left by a process that died.
  struct stat info{};
  if (::stat(endpoint.path().c_str(), &info) == 0 && S_ISSOCK(info.st_mode)) {
    UnixSocket probe(loop.impl().io);
    error = connect_unix(probe, path);
    if (!error || error == asio::error::try_again) {
      return fail(ErrorKind::Unavailable,
                  fmt::format("cannot listen on unix:{}: another process answers there", path));
    }
    ::unlink(endpoint.path().c_str());
  }
  acceptor.open(endpoint.protocol(), error);
  if (error) return failed(error);
  ::fcntl(acceptor.native_handle(), F_SETFD, FD_CLOEXEC);
  acceptor.bind(endpoint, error);
  if (error) return failed(error);
  socket = SharedSocket::make(name, acceptor.native_handle(), endpoint.path());
  acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return failed(error);
  return {};
}

void Listener::Impl::tell(const error_code& error) {
  if (failing == static_cast<bool>(error)) return;
  failing = !failing;
  if (!accepting) return;
  accepting(failing ? fail(ErrorKind::Unavailable,
                           fmt::format("cannot take connections: {}", error.message()))
                    : Result<>{});
}

asio::awaitable<void> Listener::Impl::run(std::shared_ptr<Impl> self) {
  Impl& l = *self;
  while (!l.stopped) {
    Socket accepted(l.loop.impl().io);
    const auto [error] = co_await l.acceptor.async_accept(accepted, kAwait);
    if (!error) {
      ::fcntl(accepted.native_handle(), F_SETFD, FD_CLOEXEC);
      error_code ignored;
      if (l.tcp) accepted.set_option(Tcp::no_delay(true), ignored);
    }
    if (l.stopped) {
      // It was accepted before the end: whoever listens on belongs to it now.
      Impl* const next = error || !l.socket ? nullptr : l.socket->other(l, l.loop);
      if (next) next->accept(std::move(accepted));
      break;
    }
    if (error == asio::error::operation_aborted) break;
    l.tell(error);
    if (!error) {
      l.accept(std::move(accepted));
      continue;
    }
    // Out of descriptors, or a connection that died in the queue: it passes, a busy loop would not.
    l.pause.expires_after(std::chrono::milliseconds(100));
    co_await l.pause.async_wait(kAwait);
  }
}

Result<std::unique_ptr<Listener>> Listener::open(Loop& loop, std::string_view address,
                                                 Accept accept, Accepting accepting) {
  auto impl = std::make_shared<Impl>(loop, std::move(accept), std::move(accepting));
  constexpr std::string_view kUnix = "unix:";
  if (address.starts_with(kUnix)) {
    std::string_view path = address.substr(kUnix.size());
    if (path.starts_with("///")) path.remove_prefix(2);
    TRY(impl->bind_unix(path));
  } else {
    TRY(impl->bind_tcp(address));
  }
  impl->socket->join(*impl, loop);
  asio::co_spawn(loop.impl().io, Impl::run(impl), asio::detached);
  return std::unique_ptr<Listener>(new Listener(std::move(impl)));
}

Listener::~Listener() {
  impl_->stopped = true;
  impl_->accept = nullptr;
  impl_->accepting = nullptr;
  error_code failed;
  // Not close(): the kernel would go on telling this loop of a socket that others still have.
  const int descriptor = impl_->acceptor.release(failed);
  if (!failed) ::close(descriptor);
  impl_->own_port = OwnPort();
  impl_->pause.cancel();
  impl_->socket->leave(*impl_);
  // Kept while a connection may just have been accepted; without others it would be one too late.
  if (!impl_->socket->other(*impl_, impl_->loop)) impl_->socket.reset();
}

void Listener::offer(std::weak_ptr<void> server, const std::type_info& kind) {
  impl_->socket->offer(*impl_, std::move(server), kind);
}

std::shared_ptr<void> Listener::successor(const std::type_info& kind) const {
  return impl_->socket->successor(*impl_, impl_->loop, kind);
}

uint16_t Listener::port() const { return impl_->port; }

}  // namespace sonde::net
