// SPDX-License-Identifier: Apache-2.0
#include "net/socket/port_owner.h"

#include <gtest/gtest.h>

namespace sonde::net {
namespace {

constexpr std::string_view kTable =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode\n"
    "   0: 0100007F:1130 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 "
    "4242 1 0000000000000000 100 0 0 10 0\n"
    "   1: 0100007F:1130 0100007F:9C40 01 00000000:00000000 00:00000000 00000000  1000        0 "
    "4243 1 0000000000000000 100 0 0 10 0\n"
    "   2: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
    "77 1 0000000000000000 100 0 0 10 0\n";

TEST(PortOwner, FindsOnlyListeningSocketsOfThePort) {
  EXPECT_EQ(listening_inodes(kTable, 4400), std::vector<uint64_t>{4242});
  EXPECT_EQ(listening_inodes(kTable, 22), std::vector<uint64_t>{77});
  EXPECT_TRUE(listening_inodes(kTable, 80).empty());
}

TEST(PortOwner, SurvivesATableThatIsCutOff) {
  for (size_t n = 0; n < kTable.size(); ++n) listening_inodes(kTable.substr(0, n), 4400);
  EXPECT_TRUE(listening_inodes("\n\n   \n", 4400).empty());
}

TEST(PortOwner, IsNobodyWithoutProc) {
  EXPECT_FALSE(find_port_owner(4400, "/nonexistent").has_value());
}

}  // namespace
}  // namespace sonde::net
