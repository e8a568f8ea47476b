// SPDX-License-Identifier: Apache-2.0
#include "probe/process_parents.h"

#include <gtest/gtest.h>

#include "probe/process_table.h"

namespace sonde::probe {
namespace {

TEST(Parents, ForgetsTheOldestForkAtTheBound) {
  Parents parents(3);
  for (uint32_t child = 1; child <= 5; ++child) parents.put(child, child + 100);
  EXPECT_EQ(parents.size(), 3U);
  EXPECT_EQ(parents.find(2), 0U);
  EXPECT_EQ(parents.find(3), 103U);
  parents.erase(3);
  parents.erase(3);
  EXPECT_EQ(parents.find(3), 0U);
  EXPECT_EQ(parents.size(), 2U);
}

TEST(Parents, CountsAnIdThatIsUsedAgainAsANewFork) {
  Parents parents(2);
  parents.put(1, 100);
  parents.erase(1);
  parents.put(2, 100);
  parents.put(1, 200);
  parents.put(3, 100);
  EXPECT_EQ(parents.find(1), 200U) << "2 is the oldest, whatever 1 was before";
  EXPECT_EQ(parents.find(2), 0U);
  parents.put(3, 300);
  EXPECT_EQ(parents.find(3), 300U);
  EXPECT_EQ(parents.size(), 2U);
}

// What every shell does for each command.
TEST(ProcessForks, LeaveNothingBehindOnceTheyRunAnotherProgramOrEnd) {
  ProcessTable processes({.proc_root = "/nonexistent", .host = "h"});
  for (uint32_t i = 0; i < 100'000; ++i) {
    const uint32_t child = 1000 + i % 30'000;
    processes.fork(child, 1);
    if (i % 2 != 0) {
      processes.exec(child);
    } else {
      processes.exit(child);
    }
    ASSERT_LE(processes.forks(), 1U);
  }
  EXPECT_EQ(processes.forks(), 0U);
}

}  // namespace
}  // namespace sonde::probe
