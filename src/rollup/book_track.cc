// SPDX-License-Identifier: Apache-2.0
// The slots of one track, ordered by time; almost every observation hits the last one.
#include "rollup/book_track.h"

#include <algorithm>

namespace sonde::rollup {
namespace {

constexpr auto kBefore = [](const auto& slot, int64_t at) { return slot.second < at; };

}  // namespace

bool failed(const Observation& o) {
  if (o.convention == &kHttp && o.status >= 400) return o.status >= 500;
  return o.error;
}

void PackedCell::add(const Observation& o, size_t buckets) {
  constexpr double kSecond = 1e9;
  const int64_t duration = std::max<int64_t>(o.duration_ns, 0);
  count++;
  if (failed(o)) errors++;
  duration_s += static_cast<double>(duration) / kSecond;
  queue_s += static_cast<double>(std::clamp<int64_t>(o.queue_ns, 0, duration)) / kSecond;
  latency.record(static_cast<double>(duration) / kSecond, buckets);
  if (o.convention == &kHttp) answers.add(o.method, o.status);
}

Track::Slots::iterator Track::slot_at(Slots& slots, Slots::iterator from, int64_t second) {
  auto it = slots.end();
  if (it == from || std::prev(it)->second < second) {
    if (slots.size() == slots.capacity()) {
      const size_t before = slots.capacity();
      slots.reserve(slots.size() + std::max<size_t>(1, slots.size() / 4));
      bytes_ += (slots.capacity() - before) * sizeof(Slot);
    }
    slots.push_back({second, {}});
    return std::prev(slots.end());
  }
  it = std::lower_bound(from, slots.end(), second, kBefore);
  if (it->second == second) return it;
  const size_t before = slots.capacity();
  it = slots.insert(it, {second, {}});
  bytes_ += (slots.capacity() - before) * sizeof(Slot);
  return it;
}

void Track::add(int64_t second, const Observation& o, size_t buckets) {
  const auto begin = slots_.begin() + static_cast<std::ptrdiff_t>(begin_);
  PackedCell& cell = slot_at(slots_, begin, second - second % kSlotSeconds)->cell;
  bytes_ -= cell.heap_bytes();
  cell.add(o, buckets);
  bytes_ += cell.heap_bytes();
}

bool Track::has_slot(int64_t second) const {
  second -= second % kSlotSeconds;
  const auto it = std::lower_bound(slots_.begin() + static_cast<std::ptrdiff_t>(begin_),
                                   slots_.end(), second, kBefore);
  return it != slots_.end() && it->second == second;
}

template <class Fn>
void Track::for_each(int64_t from_s, int64_t to_s, Fn&& fn) const {
  const auto walk = [&](auto it, auto end) {
    for (it = std::lower_bound(it, end, from_s, kBefore); it != end && it->second < to_s; ++it) {
      fn(it->cell);
    }
  };
  walk(folded_.begin(), folded_.end());
  walk(slots_.begin() + static_cast<std::ptrdiff_t>(begin_), slots_.end());
}

Cell Track::sum(int64_t from_s, int64_t to_s) const {
  Cell total;
  for_each(from_s, to_s, [&](const PackedCell& cell) { total.merge(cell); });
  return total;
}

uint64_t Track::count(int64_t from_s, int64_t to_s) const {
  uint64_t total = 0;
  for_each(from_s, to_s, [&](const PackedCell& cell) { total += cell.count; });
  return total;
}

void Track::expire(int64_t fold_s, int64_t drop_s) {
  constexpr int64_t kMinute = 60;
  const int64_t before = fold_s - fold_s % kMinute;
  for (; begin_ < slots_.size() && slots_[begin_].second < before; begin_++) {
    Slot& old = slots_[begin_];
    if (old.second >= drop_s) {
      const int64_t minute = old.second - old.second % kMinute;
      PackedCell& to = slot_at(folded_, folded_.begin(), minute)->cell;
      bytes_ -= to.heap_bytes();
      to.merge(old.cell);
      bytes_ += to.heap_bytes();
    }
    bytes_ -= old.cell.heap_bytes();
    old.cell = {};
  }
  const auto give_back = [this](Slots& slots, size_t gone) {
    const size_t was = slots.capacity();
    slots.erase(slots.begin(), slots.begin() + static_cast<std::ptrdiff_t>(gone));
    if (slots.size() * 2 < slots.capacity()) slots.shrink_to_fit();
    bytes_ -= (was - slots.capacity()) * sizeof(Slot);
  };
  // Moving what stays costs as much as what goes, so that each slot is moved once or twice.
  if (begin_ > 0 && begin_ * 4 >= slots_.size()) {
    give_back(slots_, begin_);
    begin_ = 0;
  }
  size_t dropped = 0;
  for (; dropped < folded_.size() && folded_[dropped].second < drop_s; dropped++) {
    bytes_ -= folded_[dropped].cell.heap_bytes();
  }
  if (dropped > 0) give_back(folded_, dropped);
}

}  // namespace sonde::rollup
