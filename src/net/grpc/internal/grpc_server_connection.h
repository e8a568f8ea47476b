// SPDX-License-Identifier: Apache-2.0
// One accepted connection of a GrpcServer and the calls on it. The session holds HTTP/2's state;
// this moves bytes between it and the transport, gathers what is to be sent within one turn of the
// loop into one write, and keeps no buffer while the peer is silent.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/buffer.h"
#include "base/memory_ledger.h"
#include "net/grpc/grpc_server.h"
#include "net/grpc/internal/grpc_keepalive.h"
#include "net/internal/http2_flush.h"
#include "net/internal/listener.h"
#include "net/internal/transport.h"

namespace sonde::net {

struct GrpcServer::Impl : std::enable_shared_from_this<GrpcServer::Impl> {
  Impl(Loop& owner, Handler fn, GrpcServerOptions limits);
  void admit(Socket socket);
  void tick();  // what is overdue
  // Sends those away that have greeted, and at this time the others.
  void end_connections(int64_t by_ns);
  // How often: once a second, or as the shortest time of the settings asks.
  Duration tick_interval() const;

  Loop& loop;
  Handler handler;
  GrpcServerOptions options;
  std::unique_ptr<Listener> listener;
  TimerId timer = 0;
  bool stopped = false;
  bool ending = false;  // Peers were told that connections end and may not have heard of it.
  std::unordered_map<GrpcServerConnection*, std::shared_ptr<GrpcServerConnection>> connections;
};

class GrpcServerConnection : public std::enable_shared_from_this<GrpcServerConnection>,
                             private http2::Session::Events {
 public:
  GrpcServerConnection(std::shared_ptr<GrpcServer::Impl> server,
                       std::unique_ptr<Transport> transport);

  static asio::awaitable<void> serve(std::shared_ptr<GrpcServerConnection> self);
  void answer(uint32_t stream, Bytes message);
  void refuse(uint32_t stream, const GrpcStatus& status);
  // Of a streamed answer.
  bool begin_stream(uint32_t stream);
  bool streams(uint32_t stream);
  bool stream_ready(uint32_t stream);
  void stream_message(uint32_t stream, Bytes message);
  void end_stream(uint32_t stream, const GrpcStatus& status);
  // Calls from now on are the other server's. What it grants a peer holds for new connections.
  void move_to(const std::shared_ptr<GrpcServer::Impl>& server);
  void retire();  // Ends in two steps: see drain() of the server.
  void drain();
  void close();
  void tick(int64_t now_ns);
  size_t calls() const { return session_.streams(); }
  // Whether everything that was said to the peer has gone out.
  bool silent() { return !flush_posted_ && !writing_ && (!greeted() || session_.output().empty()); }
  bool greeted() const { return session_.greeted(); }

 private:
  // What the fields of a head say. Calls with equal heads share one.
  struct Head {
    std::string path;
    std::string encoding;
    Headers metadata;
    bool grpc = false;  // by its content-type
    MemoryCharge charge;
  };
  struct Call {
    std::shared_ptr<const Head> head;
    bool compressed = false;
    int64_t deadline_ns = 0;
    std::array<char, 5> prefix{};  // before the message, as it comes
    size_t prefix_size = 0;
    size_t length = 0;
    Buffer message;
    Admission admission;
    Sender sender;
    bool unknown = false;  // who sent it is still to be found out
    bool ended = false;    // the peer has sent everything
    bool answered = false;
    bool has_prefix() const { return prefix_size == prefix.size(); }
  };
  using Stream = http2::Stream;
  static Call& call_of(const Stream& stream) { return *static_cast<Call*>(stream.user); }

  void on_fields(Stream& stream, const http2::FieldsPtr& fields, bool last) override;
  void on_data(Stream& stream, std::string_view bytes) override;
  void on_end(Stream& stream) override;
  void on_closed(Stream& stream, http2::Code code) override;
  void on_ping() override;

  Buffer& message_of(const Stream& stream) {
    return stream.id == direct_stream_ ? direct_ : call_of(stream).message;
  }
  std::pair<error_code, bool> receive();
  asio::mutable_buffer begin_direct();
  void end_direct();
  // Null where there is no memory for another call of this connection.
  Call* begin(Stream& stream);
  std::shared_ptr<const Head> head_of(const http2::FieldsPtr& fields);
  void identify(Stream& stream);
  void identified(uint32_t stream, GrpcIdentified identified);
  // Asks for room, and for memory. False: the call is refused.
  bool admit(Stream& stream);
  void take_prefix(Stream& stream);
  GrpcRequest request_of(const Call& call) const;
  void give_out();
  void submit_status(Stream& stream, const GrpcStatus& status);
  void refuse_pings();
  void flush_soon();
  void flush();
  static asio::awaitable<void> write_rest(std::shared_ptr<GrpcServerConnection> self);

  std::shared_ptr<GrpcServer::Impl> server_;
  std::unique_ptr<Transport> transport_;
  std::deque<Call> calls_;  // their memory is used again
  MemoryCharge calls_charge_;
  std::vector<Call*> free_;
  http2::HeaderBlock ok_head_;
  http2::HeaderBlock ok_trailers_;
  // The fields that were last made a head of, which the next call most likely has as well.
  http2::FieldsPtr last_fields_;
  std::shared_ptr<const Head> last_head_;
  // The message that the socket is read into, without the way through the thread's buffer. It is
  // here and not with its call while the session reads what came, since that may end the call.
  uint32_t direct_stream_ = 0;
  Buffer direct_;
  std::vector<uint32_t> ready_;   // whole calls, for after the session has returned
  std::vector<uint32_t> giving_;  // those of them that are being given out
  int64_t hello_by_ns_ = 0;       // 0 once the peer has greeted
  GrpcKeepalive keepalive_;
  bool retiring_ = false;
  bool flush_posted_ = false;
  bool writing_ = false;
  bool dead_ = false;
  http2::Session session_;  // destroyed first: it ends no calls then
};

}  // namespace sonde::net
