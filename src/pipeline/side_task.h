// SPDX-License-Identifier: Apache-2.0
// Something that takes too long for a loop, done once on a thread of its own. Destroying it, or
// starting the next, waits for its end.
#pragma once

#include <functional>
#include <memory>
#include <thread>

namespace sonde::pipeline {

class SideTask {
 public:
  void start(std::move_only_function<void()> work) {
    wait();
    thread_ = std::jthread([work = std::move(work)]() mutable { work(); });
  }
  void wait() {
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::jthread thread_;
};

}  // namespace sonde::pipeline
