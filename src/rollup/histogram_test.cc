// SPDX-License-Identifier: Apache-2.0
// The two histograms: where a value lands, and how far a quantile may be off.
#include "rollup/histogram.h"

#include <gtest/gtest.h>

namespace sonde::rollup {
namespace {

TEST(Histogram, PutsAValueOnABoundIntoTheBucketBelowIt) {
  Histogram h(kDurationBounds);
  h.record(0);
  h.record(.005);
  h.record(.0051);
  h.record(11);
  h.record(-1);
  EXPECT_EQ(h.counts()[0], 2u);
  EXPECT_EQ(h.counts()[1], 1u);
  EXPECT_EQ(h.counts()[2], 1u);
  EXPECT_EQ(h.counts().back(), 1u);
  EXPECT_EQ(h.count(), 5u);
}

TEST(ExponentialHistogram, KnowsNothingOfNoValues) {
  EXPECT_FALSE(ExponentialHistogram().quantile(.5).has_value());
}

TEST(ExponentialHistogram, AnswersQuantilesWithinItsBucketWidth) {
  ExponentialHistogram h;
  for (int i = 1; i <= 1000; i++) h.record(i / 1000.0);
  EXPECT_NEAR(*h.quantile(.5), .5, .5 * .05);
  EXPECT_NEAR(*h.quantile(.95), .95, .95 * .05);
  EXPECT_NEAR(*h.quantile(1), 1, .05);
}

TEST(ExponentialHistogram, HalvesItsResolutionInsteadOfGrowing) {
  ExponentialHistogram h;
  h.record(1e-6);
  h.record(1e3);
  EXPECT_LT(h.scale(), ExponentialHistogram::kStartScale);
  EXPECT_NEAR(*h.quantile(1), 1e3, 200);
}

TEST(ExponentialHistogram, MergesDifferentScalesAsIfRecordedTogether) {
  ExponentialHistogram wide, narrow;
  wide.record(1e-6);
  wide.record(1e3);
  for (int i = 0; i < 98; i++) narrow.record(.1);
  narrow.merge(wide);
  EXPECT_EQ(narrow.count(), 100u);
  EXPECT_NEAR(*narrow.quantile(.5), .1, .02);
  EXPECT_NEAR(*narrow.quantile(1), 1e3, 200);
}

}  // namespace
}  // namespace sonde::rollup
