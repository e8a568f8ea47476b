// SPDX-License-Identifier: Apache-2.0
// One accepted connection of an HttpServer: a coroutine that reads a request, waits for its answer,
// writes it, and starts over. It owns itself through that coroutine; Responders only know it
// weakly.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/repeating_timer.h"
#include "net/http/http_server.h"
#include "net/http/internal/http_input.h"
#include "net/http/internal/http_parse.h"
#include "net/internal/listener.h"
#include "net/internal/transport.h"

namespace sonde::net {

struct HttpServer::Impl : std::enable_shared_from_this<HttpServer::Impl> {
  Impl(Loop& owner, Handler fn, HttpServerOptions limits);
  void admit(Socket socket);
  void tick();  // what is overdue

  Loop& loop;
  Handler handler;
  HttpServerOptions options;
  std::unique_ptr<Listener> listener;
  // One for all connections: a timer for each step of each request would cost more than the step.
  RepeatingTimer timer;
  bool stopped = false;
  std::unordered_map<HttpConnection*, std::weak_ptr<HttpConnection>> connections;
};

// Shared by the Stream, on any thread, and the connection, on the loop's.
struct Stream::State {
  std::mutex mutex;
  std::string pending;
  size_t max_backlog = 0;
  bool closed = false;    // by the writer
  bool gone = false;      // the peer
  bool notified = false;  // a wake-up is on its way to the loop
  Loop* loop = nullptr;
  std::weak_ptr<HttpConnection> connection;
  void notify(std::unique_lock<std::mutex> lock);
};

class Http2ServerConnection;

class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  using Core = HttpServer::Impl;
  HttpConnection(std::shared_ptr<Core> core, std::unique_ptr<Transport> transport);

  static asio::awaitable<void> serve(std::shared_ptr<HttpConnection> self);
  void answer(uint64_t exchange, Response response, std::shared_ptr<Stream::State> stream,
              std::move_only_function<void()> on_close);
  void wake() { wake_.cancel(); }
  size_t max_backlog() const { return core_->options.max_stream_backlog; }
  void abort();
  // The server ends. The connection goes on with `next`, where there is one, as soon as it has no
  // request in hand.
  void drain(const std::shared_ptr<Core>& next);
  // One that was never served waits longer: `fresh` closes those too.
  void close_if_waiting(bool fresh);
  bool streams() const { return out_ != nullptr; }
  void tick(int64_t now_ns);
  // The answer to a browser that asks for permission; nothing for other requests.
  std::optional<Response> preflight(const Request& request) const;
  // Who sent the request; everybody is let in where nobody asks.
  std::optional<Identified> who_sent(const Request& request, IdentifiedLater later) const;
  // Gives the request to whoever answers it: `exchange` says which answer is its own.
  void handle(Request& request, uint64_t exchange);
  // Adds what each answer says, to a request of this origin and method.
  void annotate(Response& response, std::string_view origin, std::string_view method) const;

 private:
  // What happens when the time is up: a read ends, so that the peer can be told; a write that does
  // not go on ends the connection.
  enum class Late : uint8_t { EndRead, Close };
  enum class Next : uint8_t { Handle, Again, End };
  asio::awaitable<Next> read_request(Request& request);
  // Or refuses the request of somebody who is not let in.
  asio::awaitable<Next> identify(Request& request, bool whole);
  // Or refuses the request before.
  asio::awaitable<Next> read_body(RequestParser& parser, Request& request);
  asio::awaitable<Next> refuse(Response response);
  asio::awaitable<bool> write(const Response& response, bool keep_alive);
  asio::awaitable<void> run_stream();
  asio::awaitable<bool> speaks_http2();
  static asio::awaitable<void> watch_peer(std::shared_ptr<HttpConnection> self);
  asio::awaitable<void> linger();
  void peer_gone();
  void move_on();
  void start_timer(Duration limit, Late late);
  void stop_timer() { deadline_ns_ = 0; }

  std::shared_ptr<Core> core_;
  std::weak_ptr<Core> next_;  // Where to move to.
  bool last_ = false;         // The next answer is.
  bool waiting_ = false;      // Between two requests.
  std::unique_ptr<Transport> transport_;
  std::shared_ptr<Http2ServerConnection> http2_;  // which then has the transport
  HttpInput input_;
  asio::steady_timer wake_;
  uint64_t exchange_ = 0;
  int64_t deadline_ns_ = 0;  // 0: nothing is waited for
  Late late_ = Late::Close;
  bool open_ = true;
  bool head_ = false;
  bool keep_alive_ = false;
  bool http10_ = false;
  std::string method_, origin_;  // of the request, where there is CORS
  std::optional<Response> answer_;
  std::optional<Identified> identified_;  // while it is waited for
  uint64_t asked_ = 0;                    // how often somebody was
  std::shared_ptr<Stream::State> out_;
  std::move_only_function<void()> on_close_;
};

// Whether a header may hold it: a line break would let a handler's input write headers of its own.
bool is_clean(std::string_view text);
// RFC 9110 section 5.6.7.
std::string http_date(int64_t unix_ns);
Response response_of(const Refusal& refusal);
// The head of a response. length is nullopt for a streamed one.
std::string response_head(const Response& response, std::optional<size_t> length, bool keep_alive,
                          bool chunked, int64_t unix_ns);

}  // namespace sonde::net
