// SPDX-License-Identifier: Apache-2.0
// The requests of one HTTP/2 connection of an HttpServer (RFC 9113). The HttpConnection that
// accepted it hands it the transport once its first bytes have said which HTTP they are, and stays
// its door to the handler.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "net/http/http_server.h"
#include "net/http/internal/http_connection.h"
#include "net/http2/session.h"
#include "net/internal/http2_flush.h"

namespace sonde::net {

class Http2ServerConnection : public std::enable_shared_from_this<Http2ServerConnection>,
                              private http2::Session::Events {
 public:
  Http2ServerConnection(std::shared_ptr<HttpServer::Impl> core, HttpConnection& door,
                        std::unique_ptr<Transport> transport);

  // `first` has come already. The door outlives it.
  static asio::awaitable<void> serve(std::shared_ptr<Http2ServerConnection> self,
                                     std::string first);
  void answer(uint64_t stream, Response response);
  // Takes no more requests; those that there are still end.
  void drain();
  void close();
  void tick(int64_t now_ns);

 private:
  using Stream = http2::Stream;
  struct Call {
    Request request;
    Buffer body;
    MemoryCharge charge;  // of the head
    int64_t deadline_ns = 0;
    bool unknown = false;  // Who sent it is still to be found out.
    bool ended = false;    // The peer has sent everything.
    bool answered = false;
    bool permission = false;  // a preflight, which is answered as it is
  };
  static Call& call_of(const Stream& stream) { return *static_cast<Call*>(stream.user); }

  void on_fields(Stream& stream, const http2::FieldsPtr& fields, bool last) override;
  void on_data(Stream& stream, std::string_view bytes) override;
  void on_end(Stream& stream) override;
  void on_closed(Stream& stream, http2::Code code) override;

  // Why the head cannot be served.
  std::optional<Refusal> begin(Call& call, const http2::Fields& fields) const;
  void identify(Stream& stream, bool last);
  // The request is whole and its sender known.
  void hand_on(const Stream& stream);
  void identified(uint32_t stream, Identified identified);
  // Before the body: a response where the server has no room for it.
  std::optional<Response> admit(Call& call) const;
  static bool make_room(Buffer& body, size_t capacity);
  void refuse(Stream& stream, const Refusal& refusal);
  void respond(Stream& stream, Response response);
  void give_out();
  // Of answers, without what is being written.
  size_t unsent();
  bool stalled(int64_t now_ns);
  void flush();
  void flush_soon();
  static asio::awaitable<void> write_rest(std::shared_ptr<Http2ServerConnection> self);

  std::shared_ptr<HttpServer::Impl> core_;
  HttpConnection& door_;
  std::unique_ptr<Transport> transport_;
  std::unordered_map<uint32_t, std::unique_ptr<Call>> calls_;
  // Whole requests, for after the session has returned and when answers before them are sent.
  std::deque<uint32_t> ready_;
  int64_t idle_since_ns_;
  int64_t blocked_since_ns_ = 0;  // 0: the peer reads
  int64_t stalled_since_ns_ = 0;  // when `stalled_at_` was first seen
  size_t stalled_at_ = 0;         // bytes of answers for which the peer opens no window
  bool retiring_ = false;
  bool flush_posted_ = false;
  bool writing_ = false;
  bool dead_ = false;
  http2::Session session_;  // destroyed first: it ends no calls then
};

}  // namespace sonde::net
