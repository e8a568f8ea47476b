// SPDX-License-Identifier: Apache-2.0
// The port alone proves nothing: another host's Sonde listens on the same one. So the address must
// be of this host, and a loopback address counts within its own network namespace only.
#include "probe/own_end.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace sonde::probe {
namespace {

constexpr uint64_t kAddressesNs = 10'000'000'000;
constexpr AddressBytes kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0};
constexpr AddressBytes kLoopback6 = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

std::set<AddressBytes> interface_addresses() {
  std::set<AddressBytes> out;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return out;
  for (const ifaddrs* i = list; i != nullptr; i = i->ifa_next) {
    if (i->ifa_addr == nullptr) continue;
    AddressBytes address = kMapped;
    if (i->ifa_addr->sa_family == AF_INET) {
      const auto* in = reinterpret_cast<const sockaddr_in*>(i->ifa_addr);
      std::memcpy(address.data() + 12, &in->sin_addr, 4);
    } else if (i->ifa_addr->sa_family == AF_INET6) {
      const auto* in = reinterpret_cast<const sockaddr_in6*>(i->ifa_addr);
      std::memcpy(address.data(), &in->sin6_addr, 16);
    } else {
      continue;
    }
    out.insert(address);
  }
  freeifaddrs(list);
  return out;
}

}  // namespace

bool is_loopback(const uint8_t (&address)[16]) {
  if (std::memcmp(address, kLoopback6.data(), 16) == 0) return true;
  return std::memcmp(address, kMapped.data(), 12) == 0 && address[12] == 127;
}

OwnEnd::OwnEnd(HoldsPort holds_port, uint32_t network, Addresses addresses)
    : holds_port_(std::move(holds_port)),
      network_(network),
      read_addresses_(std::move(addresses)) {}

OwnEnd OwnEnd::of_this_process(HoldsPort holds_port) {
  struct stat network{};
  stat("/proc/self/ns/net", &network);
  OwnEnd out(std::move(holds_port), static_cast<uint32_t>(network.st_ino), interface_addresses);
  out.own_tgid_ = static_cast<uint32_t>(getpid());
  return out;
}

bool OwnEnd::is_far_end_of(const sonde_event& event) {
  if (event.family == SONDE_FAMILY_UNIX) {
    uint32_t peer = 0;
    std::memcpy(&peer, event.remote_addr, sizeof peer);
    return peer != 0 && peer == own_tgid_;
  }
  if (event.family != SONDE_FAMILY_INET && event.family != SONDE_FAMILY_INET6) return false;
  if (!holds_port_ || !holds_port_(event.remote_port, event.local_port)) return false;
  if (event.netns == network_ && (is_loopback(event.remote_addr) ||
                                  std::memcmp(event.remote_addr, event.local_addr, 16) == 0)) {
    return true;
  }
  if (is_loopback(event.remote_addr)) return false;
  if (read_ns_ == 0 || event.time_ns - read_ns_ > kAddressesNs) {
    addresses_ = read_addresses_();
    read_ns_ = event.time_ns;
  }
  AddressBytes remote;
  std::memcpy(remote.data(), event.remote_addr, 16);
  return addresses_.contains(remote);
}

}  // namespace sonde::probe
