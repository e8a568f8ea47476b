// SPDX-License-Identifier: Apache-2.0
// Who holds a TCP port. Used when bind() says "address in use", so that the error can name the
// program to stop. It reads /proc only at that moment; sockets of other users are visible only to
// root, and then the answer is empty rather than wrong.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sonde::net {

struct PortOwner {
  int pid = 0;
  std::string program;
};

std::optional<PortOwner> find_port_owner(uint16_t port, std::string_view proc = "/proc");

// Inodes of the sockets that listen on the port, from the text of /proc/net/tcp or tcp6.
std::vector<uint64_t> listening_inodes(std::string_view table, uint16_t port);

}  // namespace sonde::net
