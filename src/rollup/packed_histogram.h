// SPDX-License-Identifier: Apache-2.0
// What one slot of the book keeps of its durations: the buckets of ExponentialHistogram that hold
// something, six bytes each, because thousands of slots hold a handful of requests. It halves its
// resolution when more than `most` buckets are in use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sonde::rollup {

class PackedHistogram {
 public:
  static constexpr size_t kMost = 160;

  struct Bucket {  // Halves of the count, so that a bucket is aligned to two bytes.
    int16_t index;
    uint16_t low, high;
    uint32_t count() const { return low | static_cast<uint32_t>(high) << 16; }
  };

  void record(double value, size_t most = kMost);
  void merge(const PackedHistogram& other, size_t most = kMost);
  size_t heap_bytes() const;
  int scale() const { return scale_; }
  uint32_t zeros() const { return zeros_; }
  const std::vector<Bucket>& buckets() const { return buckets_; }  // By index.

 private:
  void add(int index, uint32_t n, size_t most);
  void halve();
  std::vector<Bucket> buckets_;
  uint32_t zeros_ = 0;
  int8_t scale_ = 4;  // ExponentialHistogram::kStartScale.
};

}  // namespace sonde::rollup
