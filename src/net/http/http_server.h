// SPDX-License-Identifier: Apache-2.0
// An HTTP/1.1 and HTTP/2 server, encrypted or not, for OTLP receivers, the Prometheus endpoint and
// the console. Each connection is served one request at a time, so pipelined requests are answered
// in order. What a peer can spend is bounded: header bytes, body bytes, connections, and time at
// each step. Bad requests are answered by the server itself (400, 408, 413, 431, 501, 503); the
// handler sees only whole ones. It is not a router.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "net/http/cors.h"
#include "net/http/http_types.h"
#include "net/loop.h"
#include "net/socket/accepting.h"
#include "net/tls/tls.h"

namespace sonde::net {

// What a server says before it reads the body of a request.
using Admitted = std::expected<Admission, Response>;
// Who sent a request, or why nobody is let in.
using Identified = std::expected<Sender, Response>;
using IdentifiedLater = std::move_only_function<void(Identified)>;

struct HttpServerOptions {
  size_t max_header = 16 * 1024;
  size_t max_body = 20 * 1024 * 1024;
  size_t max_connections = 256;
  size_t max_stream_backlog = 1024 * 1024;           // unsent bytes of one stream
  Duration idle_timeout = std::chrono::seconds(75);  // between requests
  Duration header_timeout = std::chrono::seconds(10);
  Duration body_timeout = std::chrono::seconds(60);
  Duration write_timeout = std::chrono::seconds(75);  // for each write of an answer
  bool keep_alive = true;                             // several requests on a connection
  Headers response_headers = {};                      // of each answer of the handler
  std::shared_ptr<const Cors> cors = nullptr;         // answers preflights, annotates the rest
  bool http2 = false;  // take HTTP/2 as well, by its first bytes; there are no streams over it
  TlsContextPtr tls = nullptr;  // of make_tls_server(); none: in the clear
  Accepting accepting = {};
  // Asked first, with the request but for its body, of which no more is taken meanwhile than is on
  // its way: who sent it. Where it gives nothing it calls `later` once on the loop, not within this
  // call. The handler finds the sender in the request. Browsers that ask for permission (CORS) are
  // not asked.
  std::function<std::optional<Identified>(const Request&, IdentifiedLater later)> identify = {};
  // Asked before a body is read, with the request but for the body and with the length that it says
  // (none: the body is chunked). A response refuses it; else the handler finds the admission in the
  // request.
  std::function<Admitted(const Request&, std::optional<size_t> length)> admit = {};
};

class HttpConnection;  // internal

// The sending end of a streamed response, as of server-sent events. Movable; use from any thread.
// Destroying it ends the response.
class Stream {
 public:
  Stream() = default;
  Stream(Stream&&) noexcept;
  Stream& operator=(Stream&&) noexcept;
  ~Stream();

  // Queues bytes. False when the peer is gone or lets too much pile up (it is then cut off).
  bool write(std::string bytes);
  // Formats one server-sent event: "event: NAME\ndata: LINE...\n\n". No event line if name is
  // empty.
  bool event(std::string_view name, std::string_view data);
  bool open() const;
  void close();

  struct State;  // internal

 private:
  friend class Responder;
  std::shared_ptr<State> state_;
};

// The right to answer one request, once. Movable; use from any thread, at any later time. Safe when
// the connection or the server is gone: the answer then goes nowhere. Destroying it unanswered
// answers 500, so that no peer waits forever. It must not be used after its Loop is destroyed.
class Responder {
 public:
  Responder(Responder&&) noexcept;
  Responder& operator=(Responder&&) noexcept;
  ~Responder();

  void respond(Response response);
  // Sends the head now and the body as it is written. on_close runs on the loop when the peer goes
  // away, but not when the Stream itself is closed nor once the server is destroyed. response.body
  // is sent first.
  Stream start_stream(Response response, std::move_only_function<void()> on_close = {});

 private:
  friend class HttpConnection;
  Responder(std::weak_ptr<HttpConnection> connection, Loop* loop, uint64_t exchange);
  std::weak_ptr<HttpConnection> connection_;
  Loop* loop_ = nullptr;
  uint64_t exchange_ = 0;
};

class HttpServer {
 public:
  using Handler = std::move_only_function<void(Request&, Responder)>;

  // "host:port" or "unix:PATH". Binds and listens at once. "address in use" names the pid and
  // program that hold the port.
  static Result<std::unique_ptr<HttpServer>> listen(Loop& loop, std::string_view address,
                                                    Handler handler,
                                                    HttpServerOptions options = {});
  // Closes the listener and all connections. On the loop's thread, or while it does not run.
  ~HttpServer();
  // Takes no new connections. Those that there are go on with the server that listens on the same
  // socket now, if there is one on this loop and both are in the clear, each when its request has
  // been answered. Else the next answer on each is the last, and one on which nothing comes for a
  // moment is closed.
  void drain();
  // Whether all connections have moved or ended, but for streamed responses.
  bool drained() const;
  uint16_t port() const;
  size_t connections() const;

  struct Impl;  // internal

 private:
  explicit HttpServer(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace sonde::net
