// SPDX-License-Identifier: Apache-2.0
// A first-in first-out queue that refuses what does not fit instead of growing: each entry has a
// cost (1 by default, or its bytes) and the sum never exceeds the capacity. Thread safe and never
// blocking; waiting is the event loop's business.
#pragma once
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace sonde {

template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(size_t capacity) : capacity_(capacity) {}

  // False, with `value` untouched, when it does not fit or the queue is closed.
  [[nodiscard]] bool try_push(T&& value, size_t cost = 1) {
    std::lock_guard lock(mutex_);
    if (closed_ || cost > capacity_ - cost_) return false;
    entries_.emplace_back(std::move(value), cost);
    cost_ += cost;
    return true;
  }

  std::optional<T> try_pop() {
    std::lock_guard lock(mutex_);
    if (entries_.empty()) return std::nullopt;
    std::optional<T> value(std::move(entries_.front().first));
    cost_ -= entries_.front().second;
    entries_.pop_front();
    return value;
  }

  // After this nothing fits; what is inside can still be taken out.
  void close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }

  size_t size() const {
    std::lock_guard lock(mutex_);
    return entries_.size();
  }
  size_t cost() const {
    std::lock_guard lock(mutex_);
    return cost_;
  }
  size_t capacity() const { return capacity_; }
  bool empty() const { return size() == 0; }

 private:
  const size_t capacity_;
  mutable std::mutex mutex_;
  std::deque<std::pair<T, size_t>> entries_;
  size_t cost_ = 0;
  bool closed_ = false;
};

}  // namespace sonde
