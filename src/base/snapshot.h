// SPDX-License-Identifier: Apache-2.0
// A value that one thread replaces now and then and others read: a reader keeps what it got, whole,
// for as long as it likes. From any thread.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

namespace sonde {

template <class T>
class Snapshot {
 public:
  Snapshot() : value_(std::make_shared<const T>()) {}
  explicit Snapshot(T value) : value_(std::make_shared<const T>(std::move(value))) {}

  std::shared_ptr<const T> get() const {
    const std::lock_guard lock(mutex_);
    return value_;
  }
  void set(T value) {
    auto fresh = std::make_shared<const T>(std::move(value));
    const std::lock_guard lock(mutex_);
    value_.swap(fresh);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const T> value_;
};

}  // namespace sonde
