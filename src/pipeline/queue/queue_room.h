// SPDX-License-Identifier: Apache-2.0
// How much of a sending queue is taken, by what it holds and by requests that were admitted and are
// still being read. The queue counts through it, so that nobody takes what was set aside.
#pragma once

#include <atomic>
#include <string>

#include "base/admission.h"
#include "pipeline/queue/sending_settings.h"

namespace sonde::pipeline {

class QueueRoom final : public Gate {
 public:
  QueueRoom(std::string id, const QueueSettings& settings);

  // A queue that drops what does not fit refuses nobody.
  Result<> change(const Need& from, const Need& to) override;

  // At least one, so that empty requests are bounded too.
  uint64_t cost_of(const Need& need) const;
  // For data that is here now. With block_on_overflow there is twice the queue's size. Exhausted
  // when it is full, Invalid for what is larger than the whole queue.
  Result<> take(uint64_t cost);
  // Whatever the bound: of what was left on disk.
  void take_anyway(uint64_t cost) { taken_.fetch_add(cost, std::memory_order_relaxed); }
  void give_back(uint64_t cost) { taken_.fetch_sub(cost, std::memory_order_relaxed); }
  uint64_t taken() const { return taken_.load(std::memory_order_relaxed); }

 private:
  enum class Sizer : uint8_t { Requests, Items, Bytes };
  const std::string id_;
  const uint64_t size_;
  const uint64_t capacity_;
  const Sizer sizer_;
  const bool drops_;
  std::atomic<uint64_t> taken_{0};
};

}  // namespace sonde::pipeline
