// SPDX-License-Identifier: Apache-2.0
// What a component may ask of the loop it runs on: run this later. net::Loop is the real one,
// VirtualScheduler the one of tests. Everything runs on the loop's one thread; only post() may be
// called from another.
#pragma once
#include <cstdint>
#include <functional>

#include "base/time.h"

namespace sonde {

using Task = std::move_only_function<void()>;
using TimerId = uint64_t;  // 0 is never given out, so it can stand for "no timer".

class Scheduler {
 public:
  virtual ~Scheduler() = default;
  virtual void post(Task task) = 0;
  virtual TimerId after(Duration delay, Task task) = 0;
  // Cancelling a timer that has fired, or 0, does nothing.
  virtual void cancel(TimerId id) = 0;
  virtual const Clock& clock() const = 0;
};

}  // namespace sonde
