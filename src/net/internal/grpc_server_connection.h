// SPDX-License-Identifier: Apache-2.0
// One accepted connection of a GrpcServer and the calls on it. nghttp2 holds the protocol's state;
// this moves bytes between it and the transport, gathers what is to be sent within one turn of the
// loop into one write, and keeps no buffer while the peer is silent.
#pragma once

#include <nghttp2/nghttp2.h>

#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/buffer.h"
#include "net/grpc_server.h"
#include "net/internal/grpc_keepalive.h"
#include "net/internal/http2_output.h"
#include "net/internal/listener.h"
#include "net/internal/transport.h"

namespace sonde::net {

struct GrpcServer::Impl : std::enable_shared_from_this<GrpcServer::Impl> {
  Impl(Loop& owner, Handler fn, GrpcServerOptions limits);
  void admit(Socket socket);
  void tick();  // what is overdue
  // How often: once a second, or as the shortest time of the settings asks.
  Duration tick_interval() const;

  Loop& loop;
  Handler handler;
  GrpcServerOptions options;
  std::unique_ptr<Listener> listener;
  TimerId timer = 0;
  bool stopped = false;
  std::unordered_map<GrpcServerConnection*, std::shared_ptr<GrpcServerConnection>> connections;
};

class GrpcServerConnection : public std::enable_shared_from_this<GrpcServerConnection> {
 public:
  GrpcServerConnection(std::shared_ptr<GrpcServer::Impl> server,
                       std::unique_ptr<Transport> transport);
  ~GrpcServerConnection();

  static asio::awaitable<void> serve(std::shared_ptr<GrpcServerConnection> self);
  void answer(int32_t stream, Bytes message);
  void refuse(int32_t stream, const GrpcStatus& status);
  void drain();
  void close();
  void tick(int64_t now_ns);
  size_t calls() const { return calls_.size(); }

 private:
  struct Callbacks;
  struct Call {
    int32_t stream = 0;
    std::shared_ptr<const std::string> path;
    bool grpc = false;  // by its content-type
    std::string encoding;
    Headers metadata;
    size_t header_bytes = 0;
    int64_t deadline_ns = 0;
    std::string prefix;  // the five bytes before the message, as they come
    size_t length = 0;
    Buffer message;
    std::shared_ptr<const void> admitted;
    Http2Body reply;
    bool ended = false;  // the peer has sent everything
    bool given = false;  // to the handler
    bool answered = false;
    bool has_prefix() const { return prefix.size() == 5; }
  };
  Call* call_of(int32_t stream);
  Buffer& message_of(Call& call) { return call.stream == direct_stream_ ? direct_ : call.message; }
  std::pair<error_code, ssize_t> receive();
  asio::mutable_buffer begin_direct();
  void end_direct();
  void begin(int32_t stream);
  void header(Call& call, std::string_view name, std::string_view value);
  bool check_head(Call& call);
  void data(Call& call, std::string_view bytes);
  void take_prefix(Call& call);
  void finish(Call& call);
  void submit_status(Call& call, const GrpcStatus& status);
  void retire();
  void refuse_pings();
  void flush_soon();
  void flush();
  static asio::awaitable<void> write_rest(std::shared_ptr<GrpcServerConnection> self);

  std::shared_ptr<GrpcServer::Impl> server_;
  std::unique_ptr<Transport> transport_;
  nghttp2_session* session_ = nullptr;
  Http2Output out_;
  std::unordered_map<int32_t, Call> calls_;
  std::shared_ptr<const std::string> last_path_;  // which the next call most likely has as well
  // The DATA frame that is being received: bytes still to come.
  int32_t frame_stream_ = 0;
  size_t frame_left_ = 0;
  // The message that the socket is read into, without the way through the thread's buffer. It is
  // here and not with its call while nghttp2 reads what came, since that may end the call.
  int32_t direct_stream_ = 0;
  Buffer direct_;
  std::vector<int32_t> ready_;  // whole calls, for after nghttp2 has returned
  int64_t hello_by_ns_ = 0;     // 0 once the peer has greeted
  GrpcKeepalive keepalive_;
  bool retiring_ = false;
  bool flush_posted_ = false;
  bool writing_ = false;
  bool dead_ = false;
};

}  // namespace sonde::net
