// SPDX-License-Identifier: Apache-2.0
#include "pipeline/queue/queue_room.h"

#include <algorithm>
#include <utility>

namespace sonde::pipeline {
namespace {

// What a sender is told when there is no room now.
constexpr Duration kComeBack = std::chrono::seconds(1);

}  // namespace

QueueRoom::QueueRoom(std::string id, const QueueSettings& settings)
    : id_(std::move(id)),
      size_(settings.queue_size),
      capacity_(settings.block_on_overflow && size_ <= UINT64_MAX / 2 ? size_ * 2 : size_),
      sizer_(settings.counts() == "items"   ? Sizer::Items
             : settings.counts() == "bytes" ? Sizer::Bytes
                                            : Sizer::Requests),
      drops_(settings.drop_on_overflow) {}

uint64_t QueueRoom::cost_of(const Need& need) const {
  switch (sizer_) {
    case Sizer::Items:
      return std::max<uint64_t>(1, need.items);
    case Sizer::Bytes:
      return std::max<uint64_t>(1, need.bytes);
    case Sizer::Requests:
      break;
  }
  return 1;
}

Result<> QueueRoom::change(const Need& from, const Need& to) {
  if (drops_) return {};
  const uint64_t before = from.requests == 0 ? 0 : cost_of(from);
  const uint64_t after = to.requests == 0 ? 0 : cost_of(to);
  if (after > size_) {
    return fail(ErrorKind::Invalid, id_ + ": the request is larger than the whole sending queue");
  }
  if (after > before) return take(after - before);
  give_back(before - after);
  return {};
}

Result<> QueueRoom::take(uint64_t cost) {
  if (cost > size_) {
    return fail(ErrorKind::Invalid, id_ + ": the request is larger than the whole sending queue");
  }
  uint64_t taken = taken_.load(std::memory_order_relaxed);
  do {
    if (cost > capacity_ - std::min(taken, capacity_)) {
      return std::unexpected(
          Error{ErrorKind::Exhausted, id_ + ": the sending queue is full", kComeBack});
    }
  } while (!taken_.compare_exchange_weak(taken, taken + cost, std::memory_order_relaxed));
  return {};
}

}  // namespace sonde::pipeline
