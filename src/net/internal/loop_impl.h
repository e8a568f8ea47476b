// SPDX-License-Identifier: Apache-2.0
// The inside of a Loop, for the sockets of this room. The io_context is told that one thread runs
// it, yet keeps its locks: post() comes from other threads.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "net/internal/asio.h"
#include "net/loop.h"

namespace sonde::net {

struct Watch;
struct SignalWatch;

struct Loop::Impl {
  Impl();
  ~Impl();
  void arm();
  void fire();

  SystemClock clock;
  asio::io_context io{1};
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work;
  asio::steady_timer timer{io};
  // Keyed by due time first, so that equal times keep their order by id.
  std::map<std::pair<int64_t, TimerId>, std::move_only_function<void()>> timers;
  std::unordered_map<TimerId, int64_t> due;
  TimerId next_timer = 1;
  int64_t armed_for = INT64_MAX;
  std::unordered_map<WatchId, std::shared_ptr<Watch>> watches;
  WatchId next_watch = 1;
  std::vector<std::shared_ptr<SignalWatch>> signals;
  std::atomic<bool> stop_asked = false;
  std::atomic<std::thread::id> thread;
};

}  // namespace sonde::net
