// SPDX-License-Identifier: Apache-2.0
// The slots of one track, ordered by time; almost every observation hits the last one.
#include "rollup/book_track.h"

#include <algorithm>

namespace sonde::rollup {

bool failed(const Observation& o) {
  if (o.convention == &kHttp && o.status >= 400) return o.status >= 500;
  return o.error;
}

void Cell::add(const Observation& o) {
  constexpr double kSecond = 1e9;
  const int64_t duration = std::max<int64_t>(o.duration_ns, 0);
  count++;
  if (failed(o)) errors++;
  duration_s += static_cast<double>(duration) / kSecond;
  queue_s += static_cast<double>(std::clamp<int64_t>(o.queue_ns, 0, duration)) / kSecond;
  latency.record(static_cast<double>(duration) / kSecond);
  if (o.convention == &kHttp) answers.add(o.method, o.status);
}

void Cell::merge(const Cell& other) {
  count += other.count;
  errors += other.errors;
  duration_s += other.duration_s;
  queue_s += other.queue_s;
  latency.merge(other.latency);
  answers.merge(other.answers);
}

void Track::add(int64_t second, const Observation& o) {
  second -= second % slot_s_;
  if (slots_.empty() || slots_.back().second < second) {
    slots_.push_back({second, {}});
    slots_.back().cell.add(o);
    return;
  }
  auto it = std::lower_bound(slots_.begin(), slots_.end(), second,
                             [](const Slot& s, int64_t at) { return s.second < at; });
  if (it->second != second) it = slots_.insert(it, {second, {}});
  it->cell.add(o);
}

Cell Track::sum(int64_t from_s, int64_t to_s) const {
  Cell total;
  for (const std::deque<Slot>* slots : {&folded_, &slots_}) {
    auto it = std::lower_bound(slots->begin(), slots->end(), from_s,
                               [](const Slot& s, int64_t at) { return s.second < at; });
    for (; it != slots->end() && it->second < to_s; ++it) total.merge(it->cell);
  }
  return total;
}

void Track::expire(int64_t fold_s, int64_t drop_s) {
  constexpr int64_t kMinute = 60;
  const int64_t before = fold_s - fold_s % kMinute;
  while (!slots_.empty() && slots_.front().second < before) {
    const int64_t minute = slots_.front().second - slots_.front().second % kMinute;
    if (folded_.empty() || folded_.back().second != minute) folded_.push_back({minute, {}});
    folded_.back().cell.merge(slots_.front().cell);
    slots_.pop_front();
  }
  while (!folded_.empty() && folded_.front().second < drop_s) folded_.pop_front();
}

}  // namespace sonde::rollup
