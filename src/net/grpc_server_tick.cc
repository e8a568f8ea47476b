// SPDX-License-Identifier: Apache-2.0
// What a connection does by the clock: late messages, keepalive, and its end.
#include "net/internal/grpc_server_connection.h"

namespace sonde::net {

void GrpcServerConnection::tick(int64_t now_ns) {
  if (dead_) return;
  if (hello_by_ns_ != 0 && now_ns > hello_by_ns_) return close();
  bool late = false;
  for (auto& [stream, call] : calls_) {
    if (call.ended || call.answered || now_ns < call.deadline_ns) continue;
    submit_status(call, {GrpcCode::DeadlineExceeded, "the message did not arrive in time", {}});
    late = true;
  }
  if (late) flush_soon();
  if (retiring_) drain();
  switch (keepalive_.tick(now_ns, calls_.size())) {
    case GrpcKeepalive::Action::None:
      break;
    case GrpcKeepalive::Action::Ping:
      nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr);
      flush_soon();
      break;
    case GrpcKeepalive::Action::Retire:
      return retire();
    case GrpcKeepalive::Action::Close:
      return close();
  }
}

// In two steps (RFC 9113 section 6.8): a notice first, and at the next tick, when calls that were
// on their way have come, which was the last.
void GrpcServerConnection::retire() {
  retiring_ = true;
  nghttp2_submit_shutdown_notice(session_);
  flush_soon();
}

// Within a callback of nghttp2: the connection ends once what is said here has gone out.
void GrpcServerConnection::refuse_pings() {
  static constexpr std::string_view kWhy = "too_many_pings";
  nghttp2_submit_goaway(
      session_, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session_),
      NGHTTP2_ENHANCE_YOUR_CALM, reinterpret_cast<const uint8_t*>(kWhy.data()), kWhy.size());
  server_->loop.post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->flush();
    self->close();
  });
}

void GrpcServerConnection::drain() {
  if (dead_) return;
  retiring_ = false;
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(session_), NGHTTP2_NO_ERROR,
                        nullptr, 0);
  flush_soon();
}

}  // namespace sonde::net
