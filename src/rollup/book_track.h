// SPDX-License-Identifier: Apache-2.0
// What the book keeps of one service, endpoint or edge: a sparse row of time slots of 5 s. A slot
// exists only when something happened in it, and holds only what did, so a quiet service costs
// nothing. Late observations find their slot; older than the book, they are ignored. Slots that are
// too old to be shown are folded into whole minutes and kept a while longer, as what the present is
// compared with. A track knows how many bytes it takes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "rollup/answer_counts.h"
#include "rollup/histogram.h"
#include "rollup/observation.h"
#include "rollup/packed_histogram.h"

namespace sonde::rollup {

// What requests sum up to.
template <class Count, class Latency>
struct Sums {
  Count count = 0;
  Count errors = 0;  // Answers of 5xx and requests without an answer; 4xx are the caller's.
  double duration_s = 0;
  double queue_s = 0;
  Latency latency;
  AnswerCounts answers;

  template <class Other>  // Sums as well.
  void merge(const Other& other) {
    count += other.count;
    errors += other.errors;
    duration_s += other.duration_s;
    queue_s += other.queue_s;
    latency.merge(other.latency);
    answers.merge(other.answers);
  }
};

// What a slot keeps.
struct PackedCell : Sums<uint32_t, PackedHistogram> {
  // `buckets` bounds what is kept of the durations.
  void add(const Observation& o, size_t buckets);
  size_t heap_bytes() const { return latency.heap_bytes() + answers.heap_bytes(); }
};

// The sum of slots.
struct Cell : Sums<uint64_t, ExponentialHistogram> {
  double error_share() const {
    return count ? static_cast<double>(errors) / static_cast<double>(count) : 0;
  }
};

// Whether the request failed by the server's measure, whoever saw it: a client that asks for what
// is not there is answered well.
bool failed(const Observation& o);

class Track {
 public:
  static constexpr int64_t kSlotSeconds = 5;

  void add(int64_t second, const Observation& o, size_t buckets = PackedHistogram::kMost);
  bool has_slot(int64_t second) const;
  Cell sum(int64_t from_s, int64_t to_s) const;        // Slots whose start lies in [from, to).
  uint64_t count(int64_t from_s, int64_t to_s) const;  // The count of that sum.
  // Folds whole minutes that ended before `fold_s` into one slot each and drops what is older than
  // `drop_s`.
  void expire(int64_t fold_s, int64_t drop_s);
  bool empty() const { return begin_ == slots_.size() && folded_.empty(); }
  size_t bytes() const { return bytes_; }

 private:
  struct Slot {
    int64_t second;
    PackedCell cell;
  };
  using Slots = std::vector<Slot>;
  template <class Fn>
  void for_each(int64_t from_s, int64_t to_s, Fn&& fn) const;
  Slots::iterator slot_at(Slots& slots, Slots::iterator from, int64_t second);

  Slots folded_, slots_;  // Whole minutes, then what is newer.
  size_t begin_ = 0;      // Slots before it are gone; they are given back in bulk.
  size_t bytes_ = 0;
};

}  // namespace sonde::rollup
