// SPDX-License-Identifier: Apache-2.0
#include "probe/own_end.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>

namespace sonde::probe {
namespace {

AddressBytes v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d) {
  return {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d};
}

sonde_event connection(AddressBytes local, AddressBytes remote, uint16_t port, uint32_t network) {
  sonde_event e{};
  e.family = SONDE_FAMILY_INET;
  e.time_ns = 1;
  e.netns = network;
  e.remote_port = port;
  std::memcpy(e.local_addr, local.data(), 16);
  std::memcpy(e.remote_addr, remote.data(), 16);
  return e;
}

TEST(OwnEnd, IsThisHostsAddressAndAPortThatWeHold) {
  int reads = 0;
  const AddressBytes bridge = v4(172, 17, 0, 1);
  OwnEnd own([](uint16_t port, uint16_t) { return port == 4401; }, 9,
             [&] {
               ++reads;
               return std::set<AddressBytes>{bridge, v4(127, 0, 0, 1)};
             });
  const AddressBytes local = v4(127, 0, 0, 1);
  EXPECT_TRUE(own.is_far_end_of(connection(local, local, 4401, 9)));
  EXPECT_FALSE(own.is_far_end_of(connection(local, local, 80, 9)));
  // A loopback address of another network namespace is another program's.
  EXPECT_FALSE(own.is_far_end_of(connection(local, local, 4401, 8)));
  EXPECT_EQ(reads, 0);
  // A container that comes over the bridge, and another host with a Sonde of its own.
  EXPECT_TRUE(own.is_far_end_of(connection(v4(172, 17, 0, 2), bridge, 4401, 8)));
  EXPECT_FALSE(own.is_far_end_of(connection(v4(172, 17, 0, 2), v4(10, 0, 0, 5), 4401, 8)));
  EXPECT_EQ(reads, 1);
  sonde_event later = connection(v4(172, 17, 0, 2), bridge, 4401, 8);
  later.time_ns = 11'000'000'000;
  EXPECT_TRUE(own.is_far_end_of(later));
  EXPECT_EQ(reads, 2);
}

TEST(OwnEnd, IsNeverAUnixSocketNorAnythingByDefault) {
  sonde_event e = connection(v4(127, 0, 0, 1), v4(127, 0, 0, 1), 4401, 9);
  EXPECT_FALSE(OwnEnd().is_far_end_of(e));
  e.family = SONDE_FAMILY_UNIX;
  OwnEnd own([](uint16_t, uint16_t) { return true; }, 9, [] { return std::set<AddressBytes>{}; });
  EXPECT_FALSE(own.is_far_end_of(e));
}

TEST(OwnEnd, FindsTheAddressesOfThisHost) {
  OwnEnd own = OwnEnd::of_this_process([](uint16_t, uint16_t) { return true; });
  const AddressBytes local = v4(127, 0, 0, 1);
  EXPECT_FALSE(own.is_far_end_of(connection(v4(10, 1, 1, 1), v4(198, 51, 100, 7), 80, 1)));
  EXPECT_FALSE(own.is_far_end_of(connection(local, local, 80, 1)));
  sonde_event e = connection({}, {}, 0, 1);
  e.family = SONDE_FAMILY_UNIX;
  EXPECT_FALSE(own.is_far_end_of(e));
  const auto self = static_cast<uint32_t>(getpid());
  std::memcpy(e.remote_addr, &self, sizeof self);
  EXPECT_TRUE(own.is_far_end_of(e));
}

}  // namespace
}  // namespace sonde::probe
