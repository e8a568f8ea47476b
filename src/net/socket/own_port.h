// SPDX-License-Identifier: Apache-2.0
// The TCP ports that this process holds: those it listens on, and the near ends of its own
// connections. The probe asks, because the far end of such a connection is watched and would show
// Sonde's own page and exports as services. A near end is ours only towards its far end: the kernel
// gives the same ephemeral port to another process that connects elsewhere. Any thread; a few
// atomic reads an answer.
#pragma once

#include <chrono>
#include <cstdint>

namespace sonde::net {

// Holds a port for as long as it lives; port 0 is none.
class OwnPort {
 public:
  OwnPort() = default;
  static OwnPort listening(uint16_t port) { return OwnPort(port, 0); }
  static OwnPort connected(uint16_t near, uint16_t far) { return OwnPort(near, far); }
  OwnPort(OwnPort&& other) noexcept;
  OwnPort& operator=(OwnPort&& other) noexcept;
  ~OwnPort();
  uint16_t port() const { return port_; }

 private:
  OwnPort(uint16_t port, uint16_t far);
  uint16_t port_ = 0;
  uint16_t far_ = 0;  // 0: listening
};

// A port counts as held for this long after its release, since what the other end did before is
// reported a little later.
inline constexpr std::chrono::seconds kOwnPortLinger{5};

// `asker` is the port at the other end of the connection in question.
bool is_own_port(uint16_t port, uint16_t asker,
                 std::chrono::steady_clock::time_point now = std::chrono::steady_clock::now());

}  // namespace sonde::net
