// SPDX-License-Identifier: Apache-2.0
// Whether the far end of a connection is Sonde itself: its page, its metrics, or its own exports.
// Sonde's side of them is never captured, but the browser and the collector on the other side are.
#ifndef SONDE_PROBE_OWN_END_H
#define SONDE_PROBE_OWN_END_H

#include <array>
#include <cstdint>
#include <functional>
#include <set>

#include "probe/bpf/event_abi.h"

namespace sonde::probe {

using AddressBytes = std::array<uint8_t, 16>;  // Network order, IPv4 mapped into IPv6.

// 127.0.0.0/8 and ::1.
bool is_loopback(const uint8_t (&address)[16]);

class OwnEnd {
 public:
  // Whether this process holds the TCP port, as the other end of a connection from the port
  // `asker`. Asked of every new connection.
  using HoldsPort = std::function<bool(uint16_t port, uint16_t asker)>;
  using Addresses = std::function<std::set<AddressBytes>()>;

  // Never true.
  OwnEnd() = default;
  // `network` is the inode of the network namespace that Sonde runs in; `addresses` gives those of
  // this namespace's interfaces and is asked at most once in ten seconds.
  OwnEnd(HoldsPort holds_port, uint32_t network, Addresses addresses);
  // As it is on this machine.
  static OwnEnd of_this_process(HoldsPort holds_port);

  bool is_far_end_of(const sonde_event& event);

 private:
  HoldsPort holds_port_;
  uint32_t network_ = 0;
  uint32_t own_tgid_ = 0;
  Addresses read_addresses_;
  std::set<AddressBytes> addresses_;
  uint64_t read_ns_ = 0;
};

}  // namespace sonde::probe

#endif
