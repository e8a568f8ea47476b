// SPDX-License-Identifier: Apache-2.0
// One thread that waits for the disk, so that no shard does.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/segment_log.h"

namespace sonde::pipeline {

class DiskThread {
 public:
  // `done` runs on the thread.
  explicit DiskThread(std::move_only_function<void(Result<>)> done)
      : done_(std::move(done)), thread_([this](const std::stop_token& stop) { run(stop); }) {}

  // One at a time: not before `done` has run for the one before.
  void start(LogSync sync) {
    {
      const std::lock_guard lock(mutex_);
      work_ = std::move(sync);
    }
    changed_.notify_one();
  }

 private:
  void run(const std::stop_token& stop) {
    for (;;) {
      LogSync sync;
      {
        std::unique_lock lock(mutex_);
        if (!changed_.wait(lock, stop, [this] { return work_.has_value(); })) return;
        sync = std::move(*work_);
        work_.reset();
      }
      done_(sync.run());
    }
  }

  std::move_only_function<void(Result<>)> done_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<LogSync> work_;
  std::jthread thread_;  // Last: it ends, its work done, before the rest goes.
};

}  // namespace sonde::pipeline
