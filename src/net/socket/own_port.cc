// SPDX-License-Identifier: Apache-2.0
#include "net/socket/own_port.h"

#include <array>
#include <atomic>
#include <utility>

namespace sonde::net {
namespace {

// What is held of one port. Two connections of ours from one port know only the later far end.
struct Held {
  std::atomic<uint16_t> holders;
  std::atomic<uint32_t> released;  // Seconds of the steady clock; 0 is never.
};
// Zero pages until they are used, so a process with a hundred ports pays for a few of them.
std::array<Held, 65536> listening;
std::array<Held, 65536> connected;
std::array<std::atomic<uint16_t>, 65536> far_ends;

uint32_t seconds(std::chrono::steady_clock::time_point at) {
  return static_cast<uint32_t>(
      std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count());
}

std::array<Held, 65536>& held_as(uint16_t far) { return far == 0 ? listening : connected; }

bool is_held(const Held& held, std::chrono::steady_clock::time_point now) {
  if (held.holders.load(std::memory_order_relaxed) != 0) return true;
  const uint32_t at = held.released.load(std::memory_order_relaxed);
  return at != 0 && seconds(now) - at <= static_cast<uint32_t>(kOwnPortLinger.count());
}

}  // namespace

OwnPort::OwnPort(uint16_t port, uint16_t far) : port_(port), far_(far) {
  if (port_ == 0) return;
  if (far_ != 0) far_ends[port_].store(far_, std::memory_order_relaxed);
  held_as(far_)[port_].holders.fetch_add(1, std::memory_order_relaxed);
}
OwnPort::OwnPort(OwnPort&& other) noexcept
    : port_(std::exchange(other.port_, 0)), far_(other.far_) {}
OwnPort& OwnPort::operator=(OwnPort&& other) noexcept {
  std::swap(port_, other.port_);
  std::swap(far_, other.far_);
  return *this;
}
OwnPort::~OwnPort() {
  if (port_ == 0) return;
  Held& held = held_as(far_)[port_];
  held.released.store(seconds(std::chrono::steady_clock::now()), std::memory_order_relaxed);
  held.holders.fetch_sub(1, std::memory_order_relaxed);
}

bool is_own_port(uint16_t port, uint16_t asker, std::chrono::steady_clock::time_point now) {
  if (port == 0) return false;
  return is_held(listening[port], now) ||
         (far_ends[port].load(std::memory_order_relaxed) == asker && is_held(connected[port], now));
}

}  // namespace sonde::net
