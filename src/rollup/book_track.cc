// SPDX-License-Identifier: Apache-2.0
// The slots of one track, ordered by time; almost every observation hits the last one.
#include "rollup/book_track.h"

#include <algorithm>

namespace sonde::rollup {

void Cell::add(bool error, double duration, double queue) {
  count++;
  if (error) errors++;
  duration_s += duration;
  queue_s += queue;
  latency.record(duration);
}

void Cell::merge(const Cell& other) {
  count += other.count;
  errors += other.errors;
  duration_s += other.duration_s;
  queue_s += other.queue_s;
  latency.merge(other.latency);
}

void Track::add(int64_t second, bool error, double duration, double queue) {
  second -= second % slot_s_;
  if (slots_.empty() || slots_.back().second < second) {
    slots_.push_back({second, {}});
    slots_.back().cell.add(error, duration, queue);
    return;
  }
  auto it = std::lower_bound(slots_.begin(), slots_.end(), second,
                             [](const Slot& s, int64_t at) { return s.second < at; });
  if (it->second != second) it = slots_.insert(it, {second, {}});
  it->cell.add(error, duration, queue);
}

Cell Track::sum(int64_t from_s, int64_t to_s) const {
  auto it = std::lower_bound(slots_.begin(), slots_.end(), from_s,
                             [](const Slot& s, int64_t at) { return s.second < at; });
  Cell total;
  for (; it != slots_.end() && it->second < to_s; ++it) total.merge(it->cell);
  return total;
}

void Track::expire(int64_t before_s) {
  while (!slots_.empty() && slots_.front().second < before_s) slots_.pop_front();
}

}  // namespace sonde::rollup
