// SPDX-License-Identifier: Apache-2.0
#include "pipeline/side_task.h"

#include <gtest/gtest.h>

#include <latch>

namespace sonde::pipeline {
namespace {

TEST(SideTask, SaysWhetherItStillRuns) {
  SideTask task;
  EXPECT_FALSE(task.running());
  for (int times = 0; times < 2; ++times) {
    std::latch go_on(1);
    task.start([&] { go_on.wait(); });
    EXPECT_TRUE(task.running());
    go_on.count_down();
    task.wait();
    EXPECT_FALSE(task.running());
  }
}

}  // namespace
}  // namespace sonde::pipeline
