// SPDX-License-Identifier: Apache-2.0
// What the book keeps of one service, endpoint or edge: a sparse row of time slots. A slot exists
// only when something happened in it, so a quiet service costs nothing. Late observations find
// their slot; older than the book, they are ignored. Slots that are too old to be shown are folded
// into whole minutes and kept a while longer, as what the present is compared with.
#pragma once

#include <cstdint>
#include <deque>

#include "rollup/answer_counts.h"
#include "rollup/histogram.h"
#include "rollup/observation.h"

namespace sonde::rollup {

struct Cell {
  uint64_t count = 0;
  uint64_t errors = 0;  // Answers of 5xx and requests without an answer; 4xx are the caller's.
  double duration_s = 0;
  double queue_s = 0;
  ExponentialHistogram latency;
  AnswerCounts answers;

  void add(const Observation& o);
  void merge(const Cell& other);
  double error_share() const {
    return count ? static_cast<double>(errors) / static_cast<double>(count) : 0;
  }
};

// Whether the request failed by the server's measure, whoever saw it: a client that asks for what
// is not there is answered well.
bool failed(const Observation& o);

class Track {
 public:
  explicit Track(int64_t slot_s = 1) : slot_s_(slot_s) {}
  void add(int64_t second, const Observation& o);
  Cell sum(int64_t from_s, int64_t to_s) const;  // Slots whose start lies in [from, to).
  // Folds whole minutes that ended before `fold_s` into one slot each and drops what is older than
  // `drop_s`.
  void expire(int64_t fold_s, int64_t drop_s);
  bool empty() const { return slots_.empty() && folded_.empty(); }

 private:
  struct Slot {
    int64_t second;
    Cell cell;
  };
  int64_t slot_s_;
  std::deque<Slot> folded_, slots_;  // Whole minutes, then what is newer.
};

}  // namespace sonde::rollup
