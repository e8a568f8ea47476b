// SPDX-License-Identifier: Apache-2.0
//
// Samples where this process spends its CPU time: a timer of the process (ITIMER_PROF) sends
// SIGPROF to the thread that runs, whose stack is read along its frame pointers and put into a
// buffer made beforehand. The handler takes no lock, allocates nothing, and reads stacks with
// process_vm_readv, so that a broken chain of frames ends a sample and not the process. There is
// one timer a process, so one Sampler at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace sonde::pprof {

inline constexpr int kSamplesASecond = 100;  // Of CPU time.
inline constexpr size_t kMaxDepth = 64;

struct Samples {
  // One after another: the depth, then as many addresses, innermost first. Addresses but the first
  // are those that calls return to.
  std::vector<uint64_t> words;
  uint64_t lost = 0;  // Found no room.
  Duration period = std::chrono::nanoseconds(std::chrono::seconds(1)) / kSamplesASecond;
};

class Sampler {
 public:
  // An error (Exhausted) when one runs already. The buffer holds `max_words` of samples; what comes
  // after it is full is counted.
  static Result<std::unique_ptr<Sampler>> start(size_t max_words);
  // As stop(), without an answer.
  ~Sampler();
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;
  // Waits for handlers in progress, some microseconds.
  Samples stop();

 private:
  Sampler() = default;
  bool running_ = false;
};

}  // namespace sonde::pprof
