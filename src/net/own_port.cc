// SPDX-License-Identifier: Apache-2.0
#include "net/own_port.h"

#include <array>
#include <atomic>
#include <utility>

namespace sonde::net {
namespace {

// Zero pages until they are used, so a process with a hundred ports pays for a few of them.
std::array<std::atomic<uint16_t>, 65536> holders;
std::array<std::atomic<uint32_t>, 65536> released;  // Seconds of the steady clock; 0 is never.

uint32_t seconds(std::chrono::steady_clock::time_point at) {
  return static_cast<uint32_t>(
      std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count());
}

}  // namespace

OwnPort::OwnPort(uint16_t port) : port_(port) {
  if (port_ != 0) holders[port_].fetch_add(1, std::memory_order_relaxed);
}
OwnPort::OwnPort(OwnPort&& other) noexcept : port_(std::exchange(other.port_, 0)) {}
OwnPort& OwnPort::operator=(OwnPort&& other) noexcept {
  std::swap(port_, other.port_);
  return *this;
}
OwnPort::~OwnPort() {
  if (port_ == 0) return;
  released[port_].store(seconds(std::chrono::steady_clock::now()), std::memory_order_relaxed);
  holders[port_].fetch_sub(1, std::memory_order_relaxed);
}

bool is_own_port(uint16_t port, std::chrono::steady_clock::time_point now) {
  if (port == 0) return false;
  if (holders[port].load(std::memory_order_relaxed) != 0) return true;
  const uint32_t at = released[port].load(std::memory_order_relaxed);
  return at != 0 && seconds(now) - at <= static_cast<uint32_t>(kOwnPortLinger.count());
}

}  // namespace sonde::net
