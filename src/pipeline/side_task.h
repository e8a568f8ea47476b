// SPDX-License-Identifier: Apache-2.0
// Something that takes too long for a loop, done once on a thread of its own. Destroying it, or
// starting the next, waits for its end; a loop asks running() first.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>

namespace sonde::pipeline {

class SideTask {
 public:
  void start(std::move_only_function<void()> work) {
    wait();
    running_ = true;
    thread_ = std::jthread([this, work = std::move(work)]() mutable {
      work();
      running_ = false;
    });
  }
  bool running() const { return running_; }
  void wait() {
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::atomic<bool> running_ = false;
  std::jthread thread_;
};

}  // namespace sonde::pipeline
