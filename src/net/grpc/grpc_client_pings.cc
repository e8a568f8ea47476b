// SPDX-License-Identifier: Apache-2.0
// How a client finds out that its peer is gone though the connection is still there
// (https://github.com/grpc/proposal/blob/master/A8-client-side-keepalive.md).
#include <algorithm>
#include <string_view>

#include "net/grpc/internal/grpc_connection.h"

namespace sonde::net {

void GrpcConnection::watch_silence(Duration wait) {
  if (wait.count() <= 0 || dead_) return;
  received_then_ = received_;
  ping_timer_ = loop_.after(wait, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->silent();
  });
}

// The time is up, but not always has the peer been silent.
void GrpcConnection::silent() {
  ping_timer_ = 0;
  const auto owner = owner_.lock();
  if (!owner || dead_) return;
  if (pinged_) return abort("the peer does not answer pings");
  if (received_ != received_then_) return watch_silence(owner->options.ping_after);
  // The next call arms the timer again.
  if (session_->streams() == 0 && !owner->options.ping_without_calls) return;
  pinged_ = true;
  session_->ping();
  watch_silence(owner->options.ping_timeout);
  flush_soon();
}

void GrpcConnection::heard() {
  pinged_ = false;
  stop_pings();
  if (const auto owner = owner_.lock()) watch_silence(owner->options.ping_after);
}

void GrpcConnection::on_goaway(http2::Code code, std::string_view why) {
  if (code != http2::Code::EnhanceYourCalm || why != "too_many_pings") return;
  constexpr Duration kSeldom = std::chrono::hours(2);
  if (const auto owner = owner_.lock()) {
    owner->options.ping_after = std::min(owner->options.ping_after * 2, kSeldom);
  }
}

}  // namespace sonde::net
