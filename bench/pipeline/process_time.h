// SPDX-License-Identifier: Apache-2.0
// The CPU time of another process, in nanoseconds: the sum over its threads of what the scheduler
// gave them. A thread that ends in between takes its time with it, so a process under test must
// keep its threads, as all of them do once they are warm.
#pragma once

#include <cstdint>

namespace sonde::bench {

struct ProcessTime {
  int64_t run_ns = 0;
  int64_t user_ticks = 0;
  int64_t system_ticks = 0;
};

// All zero where there is no such process.
ProcessTime process_time(int pid);
// Which share of the time between two readings was spent outside the kernel; ticks are coarse.
double user_share(const ProcessTime& before, const ProcessTime& after);

}  // namespace sonde::bench
