// SPDX-License-Identifier: Apache-2.0
// The program's telemetry about itself: one process-wide registry of counters and gauges. Look a
// counter up once, keep the reference (it never moves), and add to it from any thread. This is not
// for users' metrics: see rollup.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sonde {

using CounterLabels = std::vector<std::pair<std::string, std::string>>;

class Counter {
 public:
  void add(uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

class Gauge {
 public:
  void set(double v) { value_.store(v, std::memory_order_relaxed); }
  void add(double d) { value_.fetch_add(d, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

// The counter of this name and these labels, made at the first call. The help text of the first
// call stays.
Counter& counter(std::string_view name, std::string_view help, const CounterLabels& labels = {});
Gauge& gauge(std::string_view name, std::string_view help, const CounterLabels& labels = {});

// A gauge that is read when somebody asks, from any thread. The last one of a name and labels
// counts.
void sampled_gauge(std::string_view name, std::string_view help, const CounterLabels& labels,
                   std::function<double()> read);

struct CounterSample {
  CounterLabels labels;  // Ordered by key.
  double value;
};

class Counters {
 public:
  // Every counter and gauge in the Prometheus text format, ordered by name and labels.
  static std::string exposition();
  // The sum over all label sets of one name; 0 when there is none. For status pages and tests.
  static double sum(std::string_view name);
  // Every label set of one name with its value, ordered by labels.
  static std::vector<CounterSample> samples(std::string_view name);
};

}  // namespace sonde
