// SPDX-License-Identifier: Apache-2.0
// Time as the rest of the program sees it: durations in nanoseconds, points in time as nanoseconds
// since 1970, and a Clock that tests replace. Nobody below `app` reads the system's clock directly,
// so every test owns its time.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>

namespace sonde {

using Duration = std::chrono::nanoseconds;

struct Time {
  int64_t unix_ns = 0;

  friend auto operator<=>(const Time&, const Time&) = default;
  friend Time operator+(Time t, Duration d) { return {t.unix_ns + d.count()}; }
  friend Time operator-(Time t, Duration d) { return {t.unix_ns - d.count()}; }
  friend Duration operator-(Time a, Time b) { return Duration(a.unix_ns - b.unix_ns); }
};

class Clock {
 public:
  virtual ~Clock() = default;
  // Wall time: may jump. For what is shown or sent.
  virtual int64_t unix_ns() const = 0;
  // CLOCK_MONOTONIC: never jumps, and is what BPF programs stamp events with. For intervals.
  virtual int64_t monotonic_ns() const = 0;

  Time now() const { return {unix_ns()}; }
};

class SystemClock final : public Clock {
 public:
  int64_t unix_ns() const override;
  int64_t monotonic_ns() const override;
  static const SystemClock& instance();
};

// A clock that stands still until it is told to move. Safe to read from several threads.
class VirtualClock final : public Clock {
 public:
  explicit VirtualClock(int64_t unix_ns = 1'700'000'000'000'000'000,
                        int64_t monotonic_ns = 1'000'000'000)
      : unix_(unix_ns), monotonic_(monotonic_ns) {}
  int64_t unix_ns() const override { return unix_.load(std::memory_order_relaxed); }
  int64_t monotonic_ns() const override { return monotonic_.load(std::memory_order_relaxed); }
  void advance(Duration d) {
    unix_.fetch_add(d.count(), std::memory_order_relaxed);
    monotonic_.fetch_add(d.count(), std::memory_order_relaxed);
  }
  void set_unix_ns(int64_t ns) { unix_.store(ns, std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> unix_;
  std::atomic<int64_t> monotonic_;
};

}  // namespace sonde
