// SPDX-License-Identifier: Apache-2.0
// Bucket arithmetic of the two histograms. Bucket i of scale s covers (2^(i/2^s), 2^((i+1)/2^s)],
// as OTLP says, so that halving the resolution is a shift of the index and merging needs no
// interpolation.
#include "rollup/histogram.h"

#include <algorithm>
#include <cmath>

namespace sonde::rollup {

void Histogram::record(double value) {
  if (!(value > 0)) value = 0;
  auto at = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  if (counts_.empty()) counts_.resize(bounds_.size() + 1);
  counts_[static_cast<size_t>(at)]++;
  count_++;
  sum_ += value;
}

void ExponentialHistogram::record(double value) {
  count_++;
  if (!(value > 0) || !std::isfinite(value)) {
    zeros_++;
    return;
  }
  add(index_of(value, scale_), 1);
}

int64_t ExponentialHistogram::index_of(double value, int scale) {
  return static_cast<int64_t>(std::ceil(std::ldexp(std::log2(value), scale)) - 1);
}

void ExponentialHistogram::add(int64_t index, uint32_t n) {
  for (;;) {
    if (buckets_.empty()) {
      first_ = index;
      buckets_.push_back(n);
      return;
    }
    int64_t last = first_ + static_cast<int64_t>(buckets_.size()) - 1;
    int64_t low = std::min(first_, index);
    int64_t high = std::max(last, index);
    if (high - low < static_cast<int64_t>(kMaxBuckets)) {
      if (index < first_) {
        buckets_.insert(buckets_.begin(), static_cast<size_t>(first_ - index), 0);
        first_ = index;
      } else if (index > last) {
        buckets_.resize(static_cast<size_t>(index - first_) + 1);
      }
      buckets_[static_cast<size_t>(index - first_)] += n;
      return;
    }
    halve();
    index >>= 1;
  }
}

void ExponentialHistogram::halve() {
  scale_--;
  if (buckets_.empty()) return;
  int64_t fresh_first = first_ >> 1;
  int64_t fresh_last = (first_ + static_cast<int64_t>(buckets_.size()) - 1) >> 1;
  std::vector<uint32_t> fresh(static_cast<size_t>(fresh_last - fresh_first) + 1);
  for (size_t i = 0; i < buckets_.size(); i++) {
    int64_t to = ((first_ + static_cast<int64_t>(i)) >> 1) - fresh_first;
    fresh[static_cast<size_t>(to)] += buckets_[i];
  }
  first_ = fresh_first;
  buckets_ = std::move(fresh);
}

void ExponentialHistogram::merge(const ExponentialHistogram& other) {
  count_ += other.count_;
  zeros_ += other.zeros_;
  while (scale_ > other.scale_) halve();
  for (size_t i = 0; i < other.buckets_.size(); i++) {
    if (other.buckets_[i] == 0) continue;
    // Adding may halve again, so the shift is taken anew for every bucket.
    int shift = other.scale_ - scale_;
    add((other.first_ + static_cast<int64_t>(i)) >> shift, other.buckets_[i]);
  }
}

void ExponentialHistogram::merge(const PackedHistogram& other) {
  zeros_ += other.zeros();
  count_ += other.zeros();
  while (scale_ > other.scale()) halve();
  for (const PackedHistogram::Bucket& b : other.buckets()) {
    count_ += b.count();
    add(b.index >> (other.scale() - scale_), b.count());
  }
}

std::optional<double> ExponentialHistogram::quantile(double q) const {
  if (count_ == 0) return std::nullopt;
  double rank = std::clamp(q, 0.0, 1.0) * static_cast<double>(count_);
  double seen = static_cast<double>(zeros_);
  if (zeros_ > 0 && rank <= seen) return 0.0;
  size_t last = 0;
  for (size_t i = 0; i < buckets_.size(); i++) {
    if (buckets_[i] == 0) continue;
    last = i;
    seen += buckets_[i];
    if (seen >= rank) break;
  }
  if (buckets_.empty()) return 0.0;
  // The geometric middle halves the worst error of either edge.
  double exponent = static_cast<double>(first_ + static_cast<int64_t>(last)) + 0.5;
  return std::exp2(std::ldexp(exponent, -scale_));
}

}  // namespace sonde::rollup
