// SPDX-License-Identifier: Apache-2.0
// One event loop on one thread: the Scheduler that a shard of the pipeline runs on. Servers and
// clients of this room attach to it; the probe watches its ring buffer through it. Timers are kept
// in one ordered map behind a single kernel timer, because a collector holds few but long timers.
// It is not a thread pool: whoever calls run() lends the thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/result.h"
#include "base/scheduler.h"
#include "base/time.h"

namespace sonde::net {

class Loop final : public Scheduler {
 public:
  using WatchId = uint64_t;

  Loop();
  ~Loop() override;
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Runs until stop(), even while nothing is scheduled. May be called again after it returned.
  void run();
  // Runs for at most this long or until stop(); says whether stop() ended it.
  bool run_for(Duration limit);
  // Runs what is ready without waiting. Returns how many handlers ran.
  size_t poll();
  // Ends run() after the handler in progress. Thread safe; remembered if run() did not start yet.
  void stop();
  bool in_loop_thread() const;

  void post(std::move_only_function<void()> fn) override;  // thread safe
  TimerId after(Duration delay, std::move_only_function<void()> fn) override;
  void cancel(TimerId id) override;
  const Clock& clock() const override;

  // Calls fn each time the descriptor is readable, until unwatch(). The descriptor stays the
  // caller's: unwatch before closing it. A descriptor that epoll refuses is an error.
  Result<WatchId> watch_readable(int fd, std::move_only_function<void()> fn);
  void unwatch(WatchId id);

  // Calls fn on the loop each time the process gets this signal, in place of its default action.
  Result<> on_signal(int signal_number, std::move_only_function<void()> fn);

  struct Impl;  // in internal/loop_impl.h, for this room only
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace sonde::net
