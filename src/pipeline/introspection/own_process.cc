// SPDX-License-Identifier: Apache-2.0
#include "pipeline/introspection/own_process.h"

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>

#include "base/counters.h"
#include "base/time.h"

namespace sonde::pipeline {
namespace {

const int64_t started_ns = SystemClock::instance().monotonic_ns();  // Of the program.

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

// The second figure of /proc/self/statm, in pages.
long resident_pages() {
  long all = 0, resident = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "re")) {
    if (std::fscanf(file, "%ld %ld", &all, &resident) != 2) resident = 0;
    std::fclose(file);
  }
  return resident;
}

}  // namespace

void refresh_process_gauges() {
  static Gauge& uptime = gauge("otelcol_process_uptime", "Seconds since the start.");
  static Gauge& cpu = gauge("otelcol_process_cpu_seconds", "CPU time of the process, in seconds.");
  static Gauge& memory = gauge("otelcol_process_memory_rss", "Resident memory in bytes.");
  static Gauge& heap =
      gauge("otelcol_process_runtime_heap_alloc_bytes", "Bytes that the allocator has given out.");
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const struct mallinfo2 blocks = ::mallinfo2();
  uptime.set(static_cast<double>(SystemClock::instance().monotonic_ns() - started_ns) / 1e9);
  cpu.set(seconds(usage.ru_utime) + seconds(usage.ru_stime));
  memory.set(static_cast<double>(resident_pages()) * static_cast<double>(::sysconf(_SC_PAGESIZE)));
  heap.set(static_cast<double>(blocks.uordblks + blocks.hblkhd));
}

}  // namespace sonde::pipeline
