// SPDX-License-Identifier: Apache-2.0
#include "net/grpc/internal/grpc_keepalive.h"

#include <utility>

namespace sonde::net {
namespace {

constexpr int kMaxStrikes = 2;
// What a peer without calls may ask for where it may not ask at all: not for a living connection,
// but now and then.
constexpr Duration kRarely = std::chrono::hours(2);

}  // namespace

GrpcKeepalive::GrpcKeepalive(const GrpcServerKeepalive& settings, int64_t now_ns, double spread)
    : settings_(settings), heard_ns_(now_ns), idle_since_ns_(now_ns), retire_ns_(0) {
  const auto age = static_cast<double>(settings.max_age.count());
  // A tenth more or less, as gRPC's own servers do.
  if (age > 0) retire_ns_ = now_ns + static_cast<int64_t>(age * (0.9 + 0.2 * spread));
}

bool GrpcKeepalive::pinged(int64_t now_ns, size_t calls) {
  const int64_t before = std::exchange(last_ping_ns_, now_ns);
  if (strikes_ < 0) {
    strikes_ = 0;
    return true;
  }
  const Duration least =
      calls == 0 && !settings_.pings_without_calls ? kRarely : settings_.min_ping_interval;
  if (before != 0 && now_ns - before < least.count()) ++strikes_;
  return strikes_ <= kMaxStrikes;
}

GrpcKeepalive::Action GrpcKeepalive::tick(int64_t now_ns, size_t calls) {
  if (std::exchange(heard_, false)) {
    heard_ns_ = now_ns;
    ping_ns_ = 0;
  }
  if (std::exchange(called_, false) || calls > 0) idle_since_ns_ = now_ns;
  if (close_ns_ != 0 && now_ns >= close_ns_) return Action::Close;
  if (ping_ns_ != 0 && now_ns - ping_ns_ >= settings_.ping_timeout.count()) return Action::Close;
  const bool old = retire_ns_ != 0 && now_ns >= retire_ns_;
  const bool idle =
      settings_.max_idle.count() > 0 && now_ns - idle_since_ns_ >= settings_.max_idle.count();
  if (!retired_ && (old || idle)) {
    retired_ = true;
    if (settings_.max_age_grace.count() > 0) close_ns_ = now_ns + settings_.max_age_grace.count();
    return Action::Retire;
  }
  if (ping_ns_ == 0 && now_ns - heard_ns_ >= settings_.ping_after.count()) {
    ping_ns_ = now_ns;
    return Action::Ping;
  }
  return Action::None;
}

}  // namespace sonde::net
