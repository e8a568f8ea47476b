// SPDX-License-Identifier: Apache-2.0
// Clocks and the arithmetic of Time.
#include "base/time.h"

#include <gtest/gtest.h>

namespace sonde {
namespace {

using namespace std::chrono_literals;

TEST(Time, AddsAndSubtractsDurations) {
  const Time start{1'000};
  EXPECT_EQ((start + 1us).unix_ns, 2'000);
  EXPECT_EQ((start + 1us) - start, Duration(1us));
  EXPECT_LT(start - 1ns, start);
}

TEST(VirtualClock, MovesOnlyWhenTold) {
  VirtualClock clock(10, 20);
  clock.advance(5ns);
  EXPECT_EQ(clock.unix_ns(), 15);
  EXPECT_EQ(clock.monotonic_ns(), 25);
  clock.set_unix_ns(1);
  EXPECT_EQ(clock.now().unix_ns, 1);
  EXPECT_EQ(clock.monotonic_ns(), 25);
}

TEST(SystemClock, ReadsBothClocks) {
  const SystemClock& clock = SystemClock::instance();
  const int64_t before = clock.monotonic_ns();
  EXPECT_GT(clock.unix_ns(), 1'600'000'000'000'000'000);
  EXPECT_GE(clock.monotonic_ns(), before);
}

}  // namespace
}  // namespace sonde
