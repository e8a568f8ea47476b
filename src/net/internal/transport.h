// SPDX-License-Identifier: Apache-2.0
// A connected byte stream, whatever carries it: TCP, a unix socket, TLS over either. What
// speaks a protocol on top is written once. It knows no deadlines: whoever watches the time calls
// cancel() or close(), which end what is in progress with operation_aborted.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "net/internal/asio.h"
#include "net/internal/name_lookup.h"
#include "net/loop.h"
#include "net/socket/address.h"
#include "net/socket/own_port.h"
#include "net/socket/proxy.h"
#include "net/tls/tls.h"

namespace sonde::net {

using Socket = asio::generic::stream_protocol::socket;
using UnixSocket = asio::local::stream_protocol::socket;

class Transport {
 public:
  using Io = std::pair<error_code, size_t>;
  virtual ~Transport() = default;
  // Returns when read() may have something, so that an idle connection pins no buffer.
  virtual asio::awaitable<error_code> wait_readable() = 0;
  // Without waiting: would_block, eof when the peer has ended its side, or at least one byte.
  virtual Io read(asio::mutable_buffer into) = 0;
  // As read(), the first bytes into one place and what follows them into another, where that costs
  // nothing; it may fill only the first.
  virtual Io read(asio::mutable_buffer first, asio::mutable_buffer) { return read(first); }
  // Without waiting, as much as goes at once: possibly nothing. An error ends the connection.
  virtual Io write_some(std::span<const asio::const_buffer> buffers) = 0;
  // All of them, in order. The buffers must outlive the call. One write at a time.
  virtual asio::awaitable<error_code> write(std::span<const asio::const_buffer> buffers) = 0;
  // Ends this side, once everything is written; the peer's bytes may still be read.
  virtual void shutdown_send() = 0;
  // Ends only the waiting; the connection stays usable.
  virtual void cancel() = 0;
  virtual void close() = 0;
  // Whether the peer has said nothing that is still to be read, not even its end.
  virtual bool quiet() = 0;
  // "address:port" of the other end, or "unix".
  virtual const std::string& peer() const = 0;
};

// `near_end` is the port of a connection that this process began.
std::unique_ptr<Transport> make_plain_transport(Socket socket, OwnPort near_end = {});

// Of an accepted socket, encrypted where a context is given.
std::unique_ptr<Transport> make_server_transport(Socket socket, TlsContextPtr tls);

// "address:port" of the other end of a socket, or "unix".
std::string peer_name(const Socket& socket);

// Opens and connects at once or not at all: EAGAIN where whoever listens there has its hands full.
error_code connect_unix(UnixSocket& socket, std::string_view path);

// One attempt to connect, encrypted where a context is given, through a tunnel where a proxy is.
// The addresses of a name share the time that there is (`limit`, which the caller ends with
// abandon()). abandon() ends it early; it then fails as timed out.
struct Dial {
  explicit Dial(Loop& on);
  asio::awaitable<Result<std::unique_ptr<Transport>>> connect(
      Address address, Duration limit, TlsContextPtr tls = nullptr,
      std::optional<Proxy> proxy = std::nullopt);
  void abandon();

  Loop& loop;
  Tcp::socket socket;
  NameLookup names;
  Transport* handshaking = nullptr;
  bool abandoned = false;

 private:
  asio::awaitable<error_code> try_address(Tcp::endpoint endpoint, std::optional<Duration> share);
  asio::awaitable<Result<>> connect_tcp(Address address, Duration limit);
  asio::awaitable<Result<>> open_tunnel(Address address, Proxy proxy);
  asio::awaitable<Result<std::unique_ptr<Transport>>> ready(Socket connected, OwnPort near_end,
                                                            std::string host, TlsContextPtr tls);
};

}  // namespace sonde::net
