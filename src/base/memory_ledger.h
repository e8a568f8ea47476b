// SPDX-License-Identifier: Apache-2.0
// The memory that telemetry takes in this process, counted where storage is taken and given back:
// blocks of the pool (buffer.h), strings that became Bytes, and what is kept by who says so
// (MemoryCharge). However many queues and branches
// share the bytes, they are charged once. Beside what is held there is what was promised: memory
// that an admitted request will need. Who takes data from outside asks has_room() first, so that
// the budget holds by construction and not by watching what is resident. Thread safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

namespace sonde {

class MemoryLedger {
 public:
  static MemoryLedger& process() { return process_; }

  // Of the whole process, in bytes. A fifth of it, but at least 32 MiB, is left to all that is no
  // telemetry; the rest is the budget. Until it is set there is none.
  void set_limit(size_t limit);
  size_t limit() const { return limit_.load(std::memory_order_relaxed); }
  size_t budget() const { return budget_.load(std::memory_order_relaxed); }

  void charge(size_t bytes) { held_.fetch_add(bytes, std::memory_order_relaxed); }
  void refund(size_t bytes) { held_.fetch_sub(bytes, std::memory_order_relaxed); }
  size_t held() const { return held_.load(std::memory_order_relaxed); }
  size_t promised() const { return promised_.load(std::memory_order_relaxed); }

  // How much more may be taken.
  size_t room() const {
    const size_t taken = held() + promised();
    const size_t all = budget();
    return taken < all ? all - taken : 0;
  }
  // Above the limit, past the budget and all that was left beside it: nothing more can be kept.
  bool exhausted() const { return held() > limit(); }
  bool has_room(size_t bytes) const { return bytes <= room(); }

 private:
  friend class MemoryPromise;
  static MemoryLedger process_;
  std::atomic<size_t> held_{0};
  std::atomic<size_t> promised_{0};
  std::atomic<size_t> limit_{std::numeric_limits<size_t>::max()};
  std::atomic<size_t> budget_{std::numeric_limits<size_t>::max()};
};

// Memory that somebody holds beside blocks and Bytes: charged while this lives.
class MemoryCharge {
 public:
  MemoryCharge() = default;
  explicit MemoryCharge(size_t bytes) : bytes_(bytes) { MemoryLedger::process().charge(bytes); }
  MemoryCharge(MemoryCharge&& other) noexcept : bytes_(std::exchange(other.bytes_, 0)) {}
  MemoryCharge& operator=(MemoryCharge&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~MemoryCharge() { MemoryLedger::process().refund(bytes_); }

 private:
  size_t bytes_ = 0;
};

// Memory that somebody will need and has not taken yet. Ended before it is taken.
class MemoryPromise {
 public:
  MemoryPromise() = default;
  explicit MemoryPromise(size_t bytes) : bytes_(bytes) {
    if (bytes > 0) ledger().promised_.fetch_add(bytes, std::memory_order_relaxed);
  }
  MemoryPromise(MemoryPromise&& other) noexcept : bytes_(std::exchange(other.bytes_, 0)) {}
  MemoryPromise& operator=(MemoryPromise&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~MemoryPromise() {
    if (bytes_ > 0) ledger().promised_.fetch_sub(bytes_, std::memory_order_relaxed);
  }

 private:
  static MemoryLedger& ledger() { return MemoryLedger::process(); }
  size_t bytes_ = 0;
};

}  // namespace sonde
