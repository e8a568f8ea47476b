// SPDX-License-Identifier: Apache-2.0
// One HTTP/2 connection of a GrpcClient and the calls on it. nghttp2 holds the protocol's state;
// this moves bytes between it and the socket. Calls that end inside a callback of nghttp2 are
// collected and finished after it returns, since a user's callback may destroy the client.
#pragma once

#include <nghttp2/nghttp2.h>

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "net/address.h"
#include "net/grpc_client.h"
#include "net/grpc_frame.h"
#include "net/internal/http2_output.h"
#include "net/internal/transport.h"

namespace sonde::net {

class GrpcConnection;

struct GrpcCall {
  explicit GrpcCall(size_t max_response) : reader(max_response) {}
  std::string path;
  Http2Body request;
  GrpcMessageReader reader;
  GrpcTrailers trailers;
  std::optional<Error> broken;  // a response that was cut off as wrong
  std::string encoding;         // of the request; empty when it is not compressed
  std::string timeout_header;
  GrpcClient::Callback done;
  int64_t deadline_ns = 0;
  std::list<std::shared_ptr<GrpcCall>>::iterator place;  // in the client's list, until finished
  std::weak_ptr<GrpcConnection> connection;
  int32_t stream = -1;
  bool on_wire = false;  // the peer may have seen it
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

  Result<Url> url;
  std::string timeout_header;
  bool closed = false;
  // In the order in which they began, and so, with one timeout for all, in which they expire: one
  // timer watches the first of them.
  std::list<GrpcCallPtr> calls;
  TimerId timer = 0;
  std::shared_ptr<GrpcConnection> connection;  // the one for new calls
};

class GrpcConnection : public std::enable_shared_from_this<GrpcConnection> {
 public:
  explicit GrpcConnection(GrpcClient::Impl& owner);
  ~GrpcConnection();

  static asio::awaitable<void> run(std::shared_ptr<GrpcConnection> self);
  bool usable() const { return !draining_ && !dead_; }
  uint64_t received() const { return received_; }
  void submit(const GrpcCallPtr& call);
  // Tells the peer that nobody waits any more. False when the call is not on this connection.
  bool cancel(const GrpcCallPtr& call);
  void abort(std::string why);
  void stop_pings() { loop_.cancel(std::exchange(ping_timer_, 0)); }

 private:
  struct Callbacks;
  void submit_now(const GrpcCallPtr& call);
  void flush_soon();
  void flush();
  static asio::awaitable<void> write_rest(std::shared_ptr<GrpcConnection> self);
  void lost(error_code error);
  void settle();
  void end();
  GrpcCall* call_of(int32_t stream) const;
  void watch_silence(Duration wait);
  void silent();
  void heard();
  void goaway(const nghttp2_goaway& frame);

  std::weak_ptr<GrpcClient::Impl> owner_;
  Url url_;
  std::string authority_;
  std::string user_agent_;
  Duration connect_timeout_;
  Headers metadata_;
  Loop& loop_;
  TlsContextPtr tls_;
  std::optional<Proxy> proxy_;
  Dial dial_;
  std::unique_ptr<Transport> transport_;  // once connected
  Http2Output out_;
  nghttp2_session* session_ = nullptr;
  std::vector<GrpcCallPtr> waiting_;  // for the connection
  std::unordered_map<int32_t, GrpcCallPtr> calls_;
  std::vector<std::pair<GrpcCallPtr, uint32_t>> closed_;  // with the HTTP/2 error code
  std::vector<GrpcCallPtr> unsent_;
  std::string why_ = "the connection was closed";
  uint64_t received_ = 0;
  TimerId ping_timer_ = 0;
  uint64_t received_then_ = 0;  // when the timer was armed
  bool pinged_ = false;
  bool flush_posted_ = false;
  bool writing_ = false;
  bool draining_ = false;
  bool greeted_ = false;  // the peer's settings have come
  bool dead_ = false;
};

}  // namespace sonde::net
