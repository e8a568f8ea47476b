// SPDX-License-Identifier: Apache-2.0
// One HTTP/2 connection of a GrpcClient and the calls on it. The session holds the protocol's
// state; this moves bytes between it and the socket. Calls that end inside the session are
// collected and finished after it returns, since a user's callback may destroy the client.
#pragma once

#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "net/grpc/grpc_client.h"
#include "net/grpc/grpc_frame.h"
#include "net/internal/http2_flush.h"
#include "net/internal/transport.h"
#include "net/socket/address.h"

namespace sonde::net {

class GrpcConnection;

// What the heads of calls have in common.
struct GrpcMethod {
  std::string path;
  std::string encoding;  // of the requests; empty when they are not compressed
};

struct GrpcCall {
  explicit GrpcCall(size_t max_response) : reader(max_response) {}
  const GrpcMethod* method = nullptr;  // of the client
  Bytes message;
  GrpcMessageReader reader;
  GrpcTrailers trailers;
  std::optional<Error> broken;  // a response that was cut off as wrong
  Headers metadata;             // of this call alone
  GrpcClient::Callback done;
  int64_t deadline_ns = 0;
  std::list<std::shared_ptr<GrpcCall>>::iterator place;  // in the client's list, until finished
  std::weak_ptr<GrpcConnection> connection;
  uint32_t stream = 0;             // 0 until the peer may have seen it
  std::shared_ptr<GrpcCall> held;  // itself, while it has a stream
  bool retried = false;
  bool finished = false;
  uint64_t received_before = 0;  // bytes the connection had received when the call began
};
using GrpcCallPtr = std::shared_ptr<GrpcCall>;

struct GrpcClient::Impl : std::enable_shared_from_this<GrpcClient::Impl> {
  Impl(Loop& owner, GrpcClientOptions settings);
  void start(const GrpcCallPtr& call);
  void finish(const GrpcCallPtr& call, Result<std::string> result);
  // The call reached no server that would act on it: once more on a new connection.
  void retry(const GrpcCallPtr& call, std::string_view why);
  void expire(const GrpcCallPtr& call);
  void expire_due();
  void watch_first();
  void close();

  Loop& loop;
  GrpcClientOptions options;
  // Whether a call can go out on the connection there is; it then runs no callback.
  bool ready() const;
  const GrpcMethod& method(std::string_view path, std::string_view encoding);

  Result<Url> url;
  std::string timeout_header;
  std::deque<GrpcMethod> methods;  // that were called: they stay where they are
  bool closed = false;
  // In the order in which they began, and so, with one timeout for all, in which they expire: one
  // timer watches the first of them.
  std::list<GrpcCallPtr> calls;
  TimerId timer = 0;
  std::shared_ptr<GrpcConnection> connection;  // the one for new calls
};

class GrpcConnection : public std::enable_shared_from_this<GrpcConnection>,
                       private http2::Session::Events {
 public:
  explicit GrpcConnection(GrpcClient::Impl& owner);
  ~GrpcConnection();

  static asio::awaitable<void> run(std::shared_ptr<GrpcConnection> self);
  bool usable() const { return !dead_ && !(session_ && session_->closing()); }
  uint64_t received() const { return received_; }
  void submit(const GrpcCallPtr& call);
  // Tells the peer that nobody waits any more. False when the call is not on this connection.
  bool cancel(const GrpcCallPtr& call);
  void abort(std::string why);
  void stop_pings() { loop_.cancel(std::exchange(ping_timer_, 0)); }

 private:
  using Stream = http2::Stream;
  struct Finished {
    GrpcCallPtr call;
    http2::Code code;
  };
  void on_fields(Stream& stream, const http2::FieldsPtr& fields, bool last) override;
  void on_data(Stream& stream, std::string_view bytes) override;
  void on_end(Stream&) override {}
  void on_closed(Stream& stream, http2::Code code) override;
  void on_goaway(http2::Code code, std::string_view why) override;

  http2::HeaderBlock& head_of(const GrpcMethod& method);
  void start_waiting();
  void flush_soon();
  void flush();
  static asio::awaitable<void> write_rest(std::shared_ptr<GrpcConnection> self);
  void lost(error_code error);
  void settle();
  void end();
  std::vector<GrpcCallPtr> let_go();
  void watch_silence(Duration wait);
  void silent();
  void heard();

  std::weak_ptr<GrpcClient::Impl> owner_;
  Url url_;
  std::string authority_;
  std::string user_agent_;
  std::string timeout_header_;
  Duration connect_timeout_;
  Headers metadata_;
  Loop& loop_;
  TlsContextPtr tls_;
  std::optional<Proxy> proxy_;
  Dial dial_;
  std::unique_ptr<Transport> transport_;  // once connected
  std::deque<GrpcCallPtr> waiting_;  // for the connection, or for the peer to allow more streams
  std::deque<std::pair<const GrpcMethod*, http2::HeaderBlock>> heads_;
  std::vector<Finished> closed_;
  std::string why_ = "the connection was closed";
  uint64_t received_ = 0;
  TimerId ping_timer_ = 0;
  uint64_t received_then_ = 0;  // when the timer was armed
  bool pinged_ = false;
  bool flush_posted_ = false;
  bool writing_ = false;
  bool dead_ = false;
  std::optional<http2::Session> session_;  // once connected
};

}  // namespace sonde::net
