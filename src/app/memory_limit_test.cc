// SPDX-License-Identifier: Apache-2.0
#include "app/memory_limit.h"

#include <gtest/gtest.h>

#include <limits>

namespace sonde::app {
namespace {

constexpr uint64_t kGib = uint64_t{1} << 30;

TEST(MemoryLimit, IsAShareOfWhatThereIsUnlessSomebodySays) {
  EXPECT_EQ(memory_limit("", 10 * kGib, ""), 8 * kGib);
  EXPECT_EQ(memory_limit("auto", 10 * kGib, ""), 8 * kGib);
  EXPECT_EQ(memory_limit("", 10 * kGib, "512MiB"), kGib / 2);
  EXPECT_EQ(memory_limit("1GiB", 10 * kGib, "512MiB"), kGib);
  EXPECT_EQ(memory_limit("auto", 10 * kGib, "off"), std::numeric_limits<size_t>::max());
  EXPECT_EQ(memory_limit("off", 10 * kGib, "1GiB"), std::numeric_limits<size_t>::max());
}

TEST(MemoryLimit, ReadsAmountsAndShares) {
  EXPECT_EQ(memory_limit("50%", 10 * kGib, ""), 5 * kGib);
  EXPECT_EQ(memory_limit("1.5GiB", 0, ""), kGib + kGib / 2);
  EXPECT_EQ(memory_limit("100MB", 0, ""), 100'000'000u);
  EXPECT_EQ(memory_limit("67108864", 0, ""), 67'108'864u);
}

TEST(MemoryLimit, SaysWhatIsWrongAndWhere) {
  for (const std::string_view wrong : {"lots", "12 parsecs", "101%", "-1MiB", "0", "nan", "%"}) {
    const auto limit = memory_limit(wrong, kGib, "");
    ASSERT_FALSE(limit) << wrong;
    EXPECT_EQ(limit.error().message.find("--memory-limit: "), 0u) << limit.error().message;
  }
  const auto small = memory_limit("10MiB", kGib, "");
  ASSERT_FALSE(small);
  EXPECT_EQ(small.error().message, "--memory-limit: 10MiB is less than the 48 MiB that are needed");
  EXPECT_EQ(memory_limit("", kGib, "-1MiB").error().message.find("GOMEMLIMIT: "), 0u);
}

TEST(MemoryLimit, StartsWhereTheEnvironmentsIsTooSmall) {
  for (const std::string_view small : {"10MiB", "47MiB", "1", "0", "1%"}) {
    EXPECT_EQ(memory_limit("", kGib, small), uint64_t{48} << 20) << small;
  }
  EXPECT_FALSE(memory_limit("1%", kGib, ""));
}

}  // namespace
}  // namespace sonde::app
