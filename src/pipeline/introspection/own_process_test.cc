// SPDX-License-Identifier: Apache-2.0
#include "pipeline/introspection/own_process.h"

#include <gtest/gtest.h>
#include <malloc.h>
#include <unistd.h>

#include <ctime>
#include <vector>

#include "base/counters.h"

namespace sonde::pipeline {
namespace {

double figure(std::string_view name) {
  refresh_process_gauges();
  return Counters::sum(name);
}

TEST(OwnProcess, TellsWhatItTakes) {
  const double up = figure("otelcol_process_uptime");
  EXPECT_GT(up, 0);
  timespec spent{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  const double cpu = static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) / 1e9;
  EXPECT_NEAR(figure("otelcol_process_cpu_seconds"), cpu, 0.5);
  EXPECT_GT(figure("otelcol_process_uptime"), up) << "it goes on";
  const double before = figure("otelcol_process_memory_rss");
  const std::vector<char> large(64 << 20, 'x');
  EXPECT_GE(figure("otelcol_process_memory_rss"), before + (60 << 20));
}

TEST(OwnProcess, TellsWhatTheHeapHolds) {
  // A sanitizer brings an allocator of its own, and glibc's has nothing to tell.
  if (mallinfo2().uordblks == 0) GTEST_SKIP() << "glibc does not allocate here";
  const double heap = figure("otelcol_process_runtime_heap_alloc_bytes");
  const std::vector<char> large(64 << 20, 'x');
  EXPECT_GE(figure("otelcol_process_runtime_heap_alloc_bytes"), heap + (64 << 20));
}

}  // namespace
}  // namespace sonde::pipeline
