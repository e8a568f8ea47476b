// SPDX-License-Identifier: Apache-2.0
// One thread for work that would keep a loop too long, such as a hash that is slow on purpose. What
// waits is bounded. post() may be called from any thread.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "base/scheduler.h"

namespace sonde {

class WorkerThread {
 public:
  explicit WorkerThread(size_t max_waiting)
      : max_waiting_(max_waiting), thread_([this](const std::stop_token& stop) { run(stop); }) {}

  // False, and nothing is kept, when as many wait already. Work that still waits when the thread is
  // destroyed is dropped; that in progress ends.
  bool post(Task work) {
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.size() >= max_waiting_) return false;
      waiting_.push_back(std::move(work));
    }
    changed_.notify_one();
    return true;
  }

 private:
  void run(const std::stop_token& stop) {
    for (;;) {
      Task work;
      {
        std::unique_lock lock(mutex_);
        if (!changed_.wait(lock, stop, [this] { return !waiting_.empty(); })) return;
        if (stop.stop_requested()) return;
        work = std::move(waiting_.front());
        waiting_.pop_front();
      }
      work();
    }
  }

  const size_t max_waiting_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Task> waiting_;
  std::jthread thread_;  // Last: it ends before the rest goes.
};

}  // namespace sonde
