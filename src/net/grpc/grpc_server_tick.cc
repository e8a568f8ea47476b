// SPDX-License-Identifier: Apache-2.0
// What a connection does by the clock: late messages, keepalive, and its end.
#include "net/grpc/internal/grpc_server_connection.h"

namespace sonde::net {

void GrpcServerConnection::tick(int64_t now_ns) {
  if (dead_) return;
  if (hello_by_ns_ != 0 && now_ns > hello_by_ns_) return close();
  session_.tick(now_ns);
  bool late = false;
  session_.each_stream([&](Stream& stream) {
    const Call& call = call_of(stream);
    const bool whole = call.ended && !call.unknown;
    if (whole || call.answered || now_ns < call.deadline_ns) return;
    const char* const what =
        call.ended ? "who sent it was not known in time" : "the message did not arrive in time";
    submit_status(stream, {GrpcCode::DeadlineExceeded, what, {}});
    late = true;
  });
  if (late) flush_soon();
  if (retiring_) drain();
  switch (keepalive_.tick(now_ns, calls())) {
    case GrpcKeepalive::Action::None:
      break;
    case GrpcKeepalive::Action::Ping:
      session_.ping();
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
  if (dead_) return;
  retiring_ = true;
  session_.notice();
  if (greeted()) flush_soon();
}

// The connection ends once what is said here has gone out.
void GrpcServerConnection::refuse_pings() {
  session_.goaway(http2::Code::EnhanceYourCalm, "too_many_pings");
  server_->loop.post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->flush();
    self->close();
  });
}

void GrpcServerConnection::drain() {
  retiring_ = false;
  if (dead_ || session_.closing()) return;
  if (!greeted()) return close();
  session_.goaway(http2::Code::NoError);
  flush_soon();
}

}  // namespace sonde::net
