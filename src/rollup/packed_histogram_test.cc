// SPDX-License-Identifier: Apache-2.0
// The packed buckets say what the dense ones do, within their bound.
#include "rollup/packed_histogram.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "rollup/histogram.h"

namespace sonde::rollup {
namespace {

TEST(PackedHistogram, SaysWhatTheDenseOneDoes) {
  std::mt19937 random(7);
  std::lognormal_distribution<double> values(-4, 1);
  ExponentialHistogram dense, unpacked;
  PackedHistogram packed, other, both;
  for (int i = 0; i < 5000; i++) {
    const double value = i % 50 == 0 ? 0 : values(random);
    dense.record(value);
    (i % 2 ? packed : other).record(value);
  }
  both.merge(packed);
  both.merge(other);
  unpacked.merge(both);
  EXPECT_EQ(unpacked.count(), dense.count());
  for (double q : {.01, .5, .95, .99, 1.})
    EXPECT_DOUBLE_EQ(*unpacked.quantile(q), *dense.quantile(q));
}

TEST(PackedHistogram, StaysWithinItsBucketsAndLosesNone) {
  PackedHistogram packed, second;
  for (double value = 1e-9; value < 1e9; value *= 1.01) packed.record(value, 16);
  EXPECT_LE(packed.buckets().size(), 16u);
  for (double value : {std::numeric_limits<double>::denorm_min(), 1e-300, 1., 1e300,
                       std::numeric_limits<double>::max()}) {
    second.record(value, 1);
  }
  EXPECT_LE(second.buckets().size(), 4u);  // Of 1024 octaves each.
  packed.merge(second, 16);
  EXPECT_LE(packed.buckets().size(), 16u);
  ExponentialHistogram sum;
  sum.merge(packed);
  EXPECT_EQ(sum.count(), 4166u + 5u);
}

}  // namespace
}  // namespace sonde::rollup
