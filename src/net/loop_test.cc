// SPDX-License-Identifier: Apache-2.0
#include "net/loop.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <thread>
#include <vector>

namespace sonde::net {
namespace {

using namespace std::chrono_literals;

TEST(Loop, RunsTimersInOrderAndNotTheCancelled) {
  Loop loop;
  std::vector<int> order;
  loop.after(2ms, [&] { order.push_back(2), loop.stop(); });
  loop.after(1ms, [&] { order.push_back(1); });
  loop.cancel(loop.after(0ms, [&] { order.push_back(0); }));
  loop.cancel(0);
  loop.run();
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST(Loop, KeepsTheOrderOfEqualTimers) {
  Loop loop;
  std::vector<int> order;
  for (int i = 0; i < 5; ++i) loop.after(Duration::zero(), [&, i] { order.push_back(i); });
  loop.after(1ms, [&] { loop.stop(); });
  loop.run();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST(Loop, LetsATimerCancelItselfAndOthers) {
  Loop loop;
  TimerId other = 0;
  TimerId own = 0;
  bool ran = false;
  own = loop.after(1ms, [&] { loop.cancel(own), loop.cancel(other); });
  other = loop.after(2ms, [&] { ran = true; });
  loop.after(4ms, [&] { loop.stop(); });
  loop.run();
  EXPECT_FALSE(ran);
}

TEST(Loop, SurvivesTheLongestTimer) {
  Loop loop;
  loop.after(Duration::max(), [] { FAIL(); });
  loop.after(1ms, [&] { loop.stop(); });
  loop.run();
}

TEST(Loop, TakesPostsFromOtherThreads) {
  Loop loop;
  int count = 0;
  std::thread other([&] {
    for (int i = 0; i < 1000; ++i) {
      loop.post([&] {
        EXPECT_TRUE(loop.in_loop_thread());
        if (++count == 1000) loop.stop();
      });
    }
  });
  loop.run();
  other.join();
  EXPECT_EQ(count, 1000);
  EXPECT_FALSE(loop.in_loop_thread());
}

TEST(Loop, RemembersAStopBeforeItRuns) {
  Loop loop;
  loop.stop();
  loop.run();
  EXPECT_FALSE(loop.run_for(1ms)) << "it is used up by the first run";
}

TEST(Loop, WatchesADescriptorUntilToldNotTo) {
  Loop loop;
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  int calls = 0;
  Loop::WatchId id = 0;
  const auto watch = loop.watch_readable(ends[0], [&] {
    char c = 0;
    EXPECT_EQ(::read(ends[0], &c, 1), 1);
    if (++calls == 2) {
      loop.unwatch(id);
      loop.stop();
    }
  });
  ASSERT_TRUE(watch) << watch.error().message;
  id = *watch;
  ASSERT_EQ(::write(ends[1], "abc", 3), 3);
  loop.run();
  loop.poll();
  EXPECT_EQ(calls, 2);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(Loop, RefusesADescriptorThatIsNone) {
  Loop loop;
  EXPECT_EQ(loop.watch_readable(-1, [] {}).error().kind, ErrorKind::Invalid);
}

TEST(Loop, HandlesASignal) {
  Loop loop;
  ASSERT_TRUE(loop.on_signal(SIGUSR1, [&] { loop.stop(); }));
  ASSERT_EQ(::raise(SIGUSR1), 0);
  EXPECT_TRUE(loop.run_for(5s));
}

}  // namespace
}  // namespace sonde::net
