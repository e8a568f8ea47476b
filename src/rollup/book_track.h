// SPDX-License-Identifier: Apache-2.0
// What the book keeps of one service, endpoint or edge: a sparse row of time slots. A slot exists
// only when something happened in it, so a quiet service costs nothing. Late observations find
// their slot; older than the book, they are ignored.
#pragma once

#include <cstdint>
#include <deque>

#include "rollup/histogram.h"

namespace sonde::rollup {

struct Cell {
  uint64_t count = 0;
  uint64_t errors = 0;
  double duration_s = 0;
  double queue_s = 0;
  ExponentialHistogram latency;

  void add(bool error, double duration, double queue);
  void merge(const Cell& other);
  double error_share() const {
    return count ? static_cast<double>(errors) / static_cast<double>(count) : 0;
  }
};

class Track {
 public:
  explicit Track(int64_t slot_s = 1) : slot_s_(slot_s) {}
  void add(int64_t second, bool error, double duration, double queue);
  Cell sum(int64_t from_s, int64_t to_s) const;  // Slots whose start lies in [from, to).
  void expire(int64_t before_s);
  bool empty() const { return slots_.empty(); }
  int64_t last_second() const { return slots_.empty() ? 0 : slots_.back().second; }

 private:
  struct Slot {
    int64_t second;
    Cell cell;
  };
  int64_t slot_s_;
  std::deque<Slot> slots_;
};

}  // namespace sonde::rollup
