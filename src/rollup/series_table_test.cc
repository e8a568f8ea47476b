// SPDX-License-Identifier: Apache-2.0
// The cap, the overflow series and expiry.
#include "rollup/series_table.h"

#include <gtest/gtest.h>

namespace sonde::rollup {
namespace {

TEST(SeriesTable, SendsWhatIsPastTheCapToOneOverflowSeries) {
  SeriesTable<int> table(2);
  for (std::string_view v : {"a", "b", "c", "d", "a"}) {
    std::string_view values[] = {v};
    table.at(values, 10).state++;
  }
  EXPECT_EQ(table.size(), 2u);
  EXPECT_EQ(table.overflowed(), 2u);
  int sum = 0, overflow = 0;
  table.for_each([&](const auto& s) {
    sum += s.state;
    if (s.overflow) overflow += s.state;
  });
  EXPECT_EQ(sum, 5);
  EXPECT_EQ(overflow, 2);
}

TEST(SeriesTable, TellsApartTuplesThatJoinToTheSameText) {
  SeriesTable<int> table(10);
  std::string_view one[] = {"ab", "c"}, two[] = {"a", "bc"};
  table.at(one, 1).state = 1;
  table.at(two, 1).state = 2;
  EXPECT_EQ(table.size(), 2u);
}

TEST(SeriesTable, FindsATupleHoweverMuchOfItIsAPrefix) {
  SeriesTable<int> table(10);
  std::string_view all[] = {"a", "b", "c"}, first[] = {"a", "b"}, rest[] = {"c"};
  table.at(all, 1).state = 7;
  EXPECT_EQ(table.at(SeriesPrefix(first), rest, 1).state, 7);
  EXPECT_EQ(table.at(SeriesPrefix(all), {}, 1).state, 7);
  EXPECT_EQ(table.size(), 1u);
  std::string_view swapped[] = {"b", "a"};
  EXPECT_EQ(table.at(SeriesPrefix(swapped), rest, 1).state, 0);
  EXPECT_EQ(table.size(), 2u);
}

TEST(SeriesTable, SendsATupleThatIsTooLongToTheOverflowSeries) {
  SeriesTable<int> table(10);
  const std::string longest(kMaxSeriesBytes - 1, 'x');
  std::string_view fits[] = {longest, "1"}, exceeds[] = {longest, "12"};
  EXPECT_FALSE(table.at(fits, 1).overflow);
  EXPECT_TRUE(table.at(exceeds, 1).overflow);
  EXPECT_TRUE(table.at(SeriesPrefix(exceeds), {}, 1).overflow);
  EXPECT_EQ(table.overflowed(), 2u);
}

TEST(SeriesTable, KeepsNoMoreBytesThanItsBoundAndTellsTheLedger) {
  const size_t before = MemoryLedger::process().held();
  {
    SeriesTable<int> table(1000);
    const size_t bound = 1000 * kBytesPerSeries, fit = bound / kMaxSeriesBytes;
    const std::string filler(kMaxSeriesBytes - 4, 'x');
    const auto touch = [&](size_t i, int64_t now) -> auto& {
      const std::string number = std::to_string(1000 + i);
      std::string_view values[] = {number, filler};
      return table.at(values, now);
    };
    for (size_t i = 0; i < fit + 10; ++i) EXPECT_EQ(touch(i, 100).overflow, i >= fit) << i;
    EXPECT_EQ(table.size(), fit);
    EXPECT_EQ(table.bytes(), fit * kMaxSeriesBytes);
    EXPECT_EQ(table.overflowed(), 10u);
    EXPECT_GE(MemoryLedger::process().held() - before, table.bytes());
    // What is forgotten makes room.
    EXPECT_FALSE(touch(0, 200).overflow);
    EXPECT_EQ(table.expire(150), fit - 1);
    EXPECT_EQ(table.bytes(), kMaxSeriesBytes);
    EXPECT_FALSE(touch(fit, 200).overflow);
  }
  EXPECT_EQ(MemoryLedger::process().held(), before);
}

TEST(SeriesTable, ForgetsWhatNobodyTouched) {
  SeriesTable<int> table(10);
  std::string_view one[] = {"a"}, two[] = {"b"};
  table.at(one, 100);
  table.at(two, 200);
  EXPECT_EQ(table.expire(150), 1u);
  EXPECT_EQ(table.size(), 1u);
}

TEST(SeriesTable, BoundsTheBytesOfItsValues) {
  SeriesTable<int> table(4);
  const std::string a(3 * kBytesPerSeries, 'a'), b(3 * kBytesPerSeries, 'b');
  std::string_view one[] = {a}, two[] = {b}, small[] = {"c"};
  table.at(one, 100);
  EXPECT_TRUE(table.at(two, 200).overflow);
  EXPECT_FALSE(table.at(small, 200).overflow);
  EXPECT_EQ(table.overflowed(), 1u);
  table.expire(150);
  EXPECT_FALSE(table.at(two, 200).overflow);
}

}  // namespace
}  // namespace sonde::rollup
