// SPDX-License-Identifier: Apache-2.0
// The scheduler of tests: order, cancelling and what is posted from inside.
#include "base/virtual_scheduler.h"

#include <gtest/gtest.h>

#include <string>

namespace sonde {
namespace {

using namespace std::chrono_literals;

TEST(VirtualScheduler, RunsTimersInOrderOfTimeAndThenOfSetting) {
  VirtualScheduler scheduler;
  std::string order;
  scheduler.after(2s, [&] { order += 'c'; });
  scheduler.after(1s, [&] { order += 'a'; });
  scheduler.after(1s, [&] { order += 'b'; });
  EXPECT_EQ(scheduler.advance(1s), 2u);
  EXPECT_EQ(order, "ab");
  EXPECT_EQ(scheduler.advance(5s), 1u);
  EXPECT_EQ(order, "abc");
}

TEST(VirtualScheduler, ShowsEachTimerItsOwnTime) {
  VirtualScheduler scheduler;
  const int64_t start = scheduler.clock().monotonic_ns();
  std::vector<int64_t> seen;
  scheduler.after(1s, [&] {
    seen.push_back(scheduler.clock().monotonic_ns() - start);
    scheduler.after(1s, [&] { seen.push_back(scheduler.clock().monotonic_ns() - start); });
  });
  scheduler.advance(10s);
  EXPECT_EQ(seen, (std::vector<int64_t>{1'000'000'000, 2'000'000'000}));
  EXPECT_EQ(scheduler.clock().monotonic_ns() - start, 10'000'000'000);
}

TEST(VirtualScheduler, CancelledTimersNeverRun) {
  VirtualScheduler scheduler;
  bool ran = false;
  const TimerId id = scheduler.after(1s, [&] { ran = true; });
  EXPECT_NE(id, 0u);
  scheduler.cancel(id);
  scheduler.cancel(0);
  scheduler.advance(2s);
  EXPECT_FALSE(ran);
  EXPECT_EQ(scheduler.pending_timers(), 0u);
}

TEST(VirtualScheduler, RunsWhatPostedTasksPost) {
  VirtualScheduler scheduler;
  int ran = 0;
  scheduler.post([&] {
    ++ran;
    scheduler.post([&] { ++ran; });
  });
  EXPECT_EQ(ran, 0);
  EXPECT_EQ(scheduler.run_ready(), 2u);
  EXPECT_EQ(ran, 2);
}

}  // namespace
}  // namespace sonde
