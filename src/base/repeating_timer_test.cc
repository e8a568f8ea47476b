// SPDX-License-Identifier: Apache-2.0
#include "base/repeating_timer.h"

#include <gtest/gtest.h>

#include "base/virtual_scheduler.h"

namespace sonde {
namespace {

using std::chrono::seconds;

TEST(RepeatingTimer, WorksOnceAnIntervalUntilItIsStopped) {
  VirtualScheduler scheduler;
  int count = 0;
  RepeatingTimer timer;
  timer.start(scheduler, seconds(5), [&] { ++count; });
  scheduler.advance(seconds(4));
  EXPECT_EQ(count, 0);
  scheduler.advance(seconds(11));
  EXPECT_EQ(count, 3);
  timer.stop();
  scheduler.advance(seconds(20));
  EXPECT_EQ(count, 3);
  EXPECT_EQ(scheduler.pending_timers(), 0u);
}

TEST(RepeatingTimer, MayBeStoppedByItsOwnWorkAndEndsWithItsOwner) {
  VirtualScheduler scheduler;
  int count = 0;
  {
    RepeatingTimer once;
    once.start(scheduler, seconds(1), [&] {
      ++count;
      once.stop();
    });
    RepeatingTimer destroyed;
    destroyed.start(scheduler, seconds(9), [&] { ++count; });
    scheduler.advance(seconds(3));
    EXPECT_FALSE(once.running());
  }
  scheduler.advance(seconds(20));
  EXPECT_EQ(count, 1);
}

}  // namespace
}  // namespace sonde
