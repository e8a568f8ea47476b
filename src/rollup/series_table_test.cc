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
