// SPDX-License-Identifier: Apache-2.0
// See virtual_scheduler.h.
#include "base/virtual_scheduler.h"

#include <algorithm>

namespace sonde {

void VirtualScheduler::post(Task task) {
  std::lock_guard lock(mutex_);
  ready_.push_back(std::move(task));
}

TimerId VirtualScheduler::after(Duration delay, Task task) {
  const int64_t due = clock_.monotonic_ns() + std::max<int64_t>(delay.count(), 0);
  timers_.emplace(std::pair(due, next_id_), std::move(task));
  return next_id_++;
}

void VirtualScheduler::cancel(TimerId id) {
  std::erase_if(timers_, [id](const auto& timer) { return timer.first.second == id; });
}

size_t VirtualScheduler::run_ready() {
  size_t ran = 0;
  for (;;) {
    Task task;
    {
      std::lock_guard lock(mutex_);
      if (ready_.empty()) return ran;
      task = std::move(ready_.front());
      ready_.pop_front();
    }
    task();
    ++ran;
  }
}

size_t VirtualScheduler::advance(Duration d) {
  const int64_t end = clock_.monotonic_ns() + d.count();
  size_t ran = run_ready();
  while (!timers_.empty() && timers_.begin()->first.first <= end) {
    auto timer = timers_.extract(timers_.begin());
    clock_.advance(Duration(std::max<int64_t>(timer.key().first - clock_.monotonic_ns(), 0)));
    timer.mapped()();
    ran += 1 + run_ready();
  }
  clock_.advance(Duration(std::max<int64_t>(end - clock_.monotonic_ns(), 0)));
  return ran;
}

}  // namespace sonde
