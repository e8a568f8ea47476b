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

}  // namespace
}  // namespace sonde::rollup
