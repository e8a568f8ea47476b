// SPDX-License-Identifier: Apache-2.0
#include "rollup/packed_histogram.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "rollup/histogram.h"

namespace sonde::rollup {
namespace {

// What malloc takes beside what was asked for.
constexpr size_t kMallocBytes = 16;

// Saturates rather than beginning anew.
uint32_t sum(uint32_t a, uint32_t b) {
  return a > std::numeric_limits<uint32_t>::max() - b ? std::numeric_limits<uint32_t>::max()
                                                      : a + b;
}

void set(PackedHistogram::Bucket& bucket, uint32_t count) {
  bucket.low = static_cast<uint16_t>(count);
  bucket.high = static_cast<uint16_t>(count >> 16);
}

}  // namespace

void PackedHistogram::record(double value, size_t most) {
  if (!(value > 0) || !std::isfinite(value)) {
    zeros_ = sum(zeros_, 1);
    return;
  }
  add(static_cast<int>(ExponentialHistogram::index_of(value, scale_)), 1, most);
}

void PackedHistogram::add(int index, uint32_t n, size_t most) {
  for (;;) {
    auto it = std::lower_bound(buckets_.begin(), buckets_.end(), index,
                               [](const Bucket& b, int at) { return b.index < at; });
    if (it != buckets_.end() && it->index == index) {
      set(*it, sum(it->count(), n));
      return;
    }
    // At a scale this low, all that a double can hold lies in a few buckets.
    if (buckets_.size() < most || scale_ <= -10) {
      if (buckets_.size() == buckets_.capacity()) {
        const auto at = it - buckets_.begin();
        buckets_.reserve(buckets_.size() + std::max<size_t>(2, buckets_.size() / 4));
        it = buckets_.begin() + at;
      }
      it = buckets_.insert(it, Bucket{static_cast<int16_t>(index), 0, 0});
      set(*it, n);
      return;
    }
    halve();
    index >>= 1;
  }
}

void PackedHistogram::halve() {
  scale_--;
  size_t kept = 0;
  for (const Bucket& b : buckets_) {
    const auto index = static_cast<int16_t>(b.index >> 1);
    if (kept > 0 && buckets_[kept - 1].index == index) {
      set(buckets_[kept - 1], sum(buckets_[kept - 1].count(), b.count()));
    } else {
      buckets_[kept] = b;
      buckets_[kept++].index = index;
    }
  }
  buckets_.resize(kept);
}

void PackedHistogram::merge(const PackedHistogram& other, size_t most) {
  zeros_ = sum(zeros_, other.zeros_);
  while (scale_ > other.scale_) halve();
  for (const Bucket& b : other.buckets_) {
    // Adding may halve, so the shift is taken anew for every bucket.
    add(b.index >> (other.scale_ - scale_), b.count(), most);
  }
}

size_t PackedHistogram::heap_bytes() const {
  return buckets_.capacity() == 0 ? 0 : buckets_.capacity() * sizeof(Bucket) + kMallocBytes;
}

}  // namespace sonde::rollup
