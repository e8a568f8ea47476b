// SPDX-License-Identifier: Apache-2.0
// The TCP ports that this process holds, listening or as the near end of its own connections. The
// probe asks, because the far end of such a connection is watched and would show Sonde's own page
// and exports as services. Any thread; one atomic read an answer.
#pragma once

#include <chrono>
#include <cstdint>

namespace sonde::net {

// Holds a port for as long as it lives; port 0 is none.
class OwnPort {
 public:
  OwnPort() = default;
  explicit OwnPort(uint16_t port);
  OwnPort(OwnPort&& other) noexcept;
  OwnPort& operator=(OwnPort&& other) noexcept;
  ~OwnPort();
  uint16_t port() const { return port_; }

 private:
  uint16_t port_ = 0;
};

// A port counts as held for this long after its release, since what the other end did before is
// reported a little later.
inline constexpr std::chrono::seconds kOwnPortLinger{5};

bool is_own_port(uint16_t port,
                 std::chrono::steady_clock::time_point now = std::chrono::steady_clock::now());

}  // namespace sonde::net
