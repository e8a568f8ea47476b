// SPDX-License-Identifier: Apache-2.0
//
// How an extension has the configuration read again: it leases the Reloader by kReloader and asks.
// What then happens is the engine's (reload.cc): everything is built beside what runs, and either
// all of it takes over or nothing changes.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sonde::pipeline {

// Instances by what became of them. A changed component counts as started and as stopped.
struct ReloadReport {
  size_t kept = 0;
  size_t started = 0;
  size_t stopped = 0;
};

struct ReloadRequest {
  std::string why;  // "SIGHUP": for the log.
  // Called once, when the new configuration runs or was refused: on a thread that is no shard's, or
  // within request(). It must not wait. May be empty.
  std::move_only_function<void(const Result<ReloadReport>&)> done;
};

inline constexpr std::string_view kReloader = "pipeline/reloader";
// Thread safe. Requests that come while the configuration is being read are answered by the next
// reading, all by the same one.
class Reloader {
 public:
  using Take = std::function<void(ReloadRequest)>;

  // Answers with an error where the process reads no configuration again.
  void request(ReloadRequest request);
  // Of the engine: where requests go while it runs. `take` may be empty and must not block.
  void connect(Take take);

 private:
  std::mutex mutex_;
  Take take_;
};

}  // namespace sonde::pipeline
