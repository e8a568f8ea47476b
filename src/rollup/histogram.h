// SPDX-License-Identifier: Apache-2.0
// Two histograms. Histogram has explicit bounds, for metrics that leave the process.
// ExponentialHistogram has base-2 buckets whose width is a fixed share of the value, for quantiles
// on the page: at scale 4 a quantile is within 2.2 %. It halves its resolution when its values
// spread over more than kMaxBuckets. Neither takes negative values: a request cannot last less than
// nothing, so those count as zero.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "rollup/packed_histogram.h"

namespace sonde::rollup {

inline constexpr double kDurationBounds[] = {0,  .005, .01, .025, .05, .075, .1, .25,
                                             .5, .75,  1,   2.5,  5,   7.5,  10};
inline constexpr double kSizeBounds[] = {0, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192};

class Histogram {
 public:
  Histogram() = default;
  explicit Histogram(std::span<const double> bounds)  // The bounds must outlive it.
      : bounds_(bounds), counts_(bounds.size() + 1) {}
  void record(double value);
  std::span<const double> bounds() const { return bounds_; }
  std::span<const uint64_t> counts() const {
    return counts_;
  }  // One more than bounds; not cumulative.
  uint64_t count() const { return count_; }
  double sum() const { return sum_; }

 private:
  std::span<const double> bounds_;
  std::vector<uint64_t> counts_;
  uint64_t count_ = 0;
  double sum_ = 0;
};

class ExponentialHistogram {
 public:
  static constexpr int kStartScale = 4;
  static constexpr size_t kMaxBuckets = 160;

  void record(double value);
  void merge(const ExponentialHistogram& other);
  void merge(const PackedHistogram& other);
  // The bucket of a value above 0 at a scale.
  static int64_t index_of(double value, int scale);
  // The value below which a share q of the observations lie; nothing when there are none.
  std::optional<double> quantile(double q) const;
  uint64_t count() const { return count_; }
  int scale() const { return scale_; }

 private:
  void add(int64_t index, uint32_t n);
  void halve();
  int scale_ = kStartScale;
  int64_t first_ = 0;  // Index of buckets_[0].
  uint64_t count_ = 0;
  uint64_t zeros_ = 0;
  std::vector<uint32_t> buckets_;
};

}  // namespace sonde::rollup
