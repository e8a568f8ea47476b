// SPDX-License-Identifier: Apache-2.0
// A Scheduler whose time passes only when a test says so, which makes timeouts, back-off and
// batching exact and instantaneous to test. Timers of one instant run in the order they were set.
#pragma once
#include <deque>
#include <map>
#include <mutex>

#include "base/scheduler.h"

namespace sonde {

class VirtualScheduler final : public Scheduler {
 public:
  void post(Task task) override;
  TimerId after(Duration delay, Task task) override;
  void cancel(TimerId id) override;
  const Clock& clock() const override { return clock_; }
  VirtualClock& virtual_clock() { return clock_; }

  // Runs what was posted, including what that posts. Returns how many tasks ran.
  size_t run_ready();
  // Moves the clock from timer to timer up to `d` from now, running everything that comes due.
  size_t advance(Duration d);
  size_t pending_timers() const { return timers_.size(); }

 private:
  VirtualClock clock_;
  std::mutex mutex_;
  std::deque<Task> ready_;
  std::map<std::pair<int64_t, TimerId>, Task> timers_;
  TimerId next_id_ = 1;
};

}  // namespace sonde
