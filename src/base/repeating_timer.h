// SPDX-License-Identifier: Apache-2.0
// Does something at an interval on a scheduler, until it is stopped or destroyed. On the
// scheduler's thread only.
#pragma once

#include <functional>
#include <utility>

#include "base/scheduler.h"
#include "base/time.h"

namespace sonde {

class RepeatingTimer {
 public:
  RepeatingTimer() = default;
  RepeatingTimer(const RepeatingTimer&) = delete;
  RepeatingTimer& operator=(const RepeatingTimer&) = delete;
  ~RepeatingTimer() { stop(); }

  // The first time is one interval from now; the next is counted from the end of `work`, which may
  // stop the timer.
  void start(Scheduler& scheduler, Duration interval, std::function<void()> work) {
    stop();
    scheduler_ = &scheduler;
    interval_ = interval;
    work_ = std::move(work);
    arm();
  }
  void stop() {
    if (scheduler_ != nullptr) std::exchange(scheduler_, nullptr)->cancel(timer_);
  }
  bool running() const { return scheduler_ != nullptr; }

 private:
  void arm() {
    timer_ = scheduler_->after(interval_, [this] {
      work_();
      if (scheduler_ != nullptr) arm();
    });
  }

  Scheduler* scheduler_ = nullptr;
  Duration interval_{};
  std::function<void()> work_;
  TimerId timer_ = 0;
};

}  // namespace sonde
