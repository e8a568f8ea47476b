// SPDX-License-Identifier: Apache-2.0
// A table of series: label values -> State. Past the cap every new tuple lands in one shared
// overflow series (marked otel_metric_overflow="true" by whoever writes it out), so sums stay true
// and memory stays bounded. Label names are the owner's business: the table only sees values, in
// the owner's fixed order. A tuple also lands there when the values of all series would exceed
// kBytesPerSeries times the cap, because senders choose how long they are. It is not thread safe.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sonde::rollup {

// What the values of a series may hold on average.
inline constexpr size_t kBytesPerSeries = 2048;
inline constexpr std::string_view kOverflowLabel = "otel_metric_overflow";

// Joins values so that no two different tuples share a key.
inline std::string series_key(std::span<const std::string_view> values) {
  std::string key;
  size_t size = 0;
  for (auto v : values) size += v.size() + 4;
  key.reserve(size);
  for (auto v : values) {
    auto n = static_cast<uint32_t>(v.size());
    key.append(reinterpret_cast<const char*>(&n), sizeof n);
    key.append(v);
  }
  return key;
}

template <class State>
class SeriesTable {
 public:
  struct Series {
    std::vector<std::string> values;  // Empty for the overflow series.
    bool overflow = false;
    int64_t start_unix_ns = 0;  // First observation, the start time of the cumulative series.
    int64_t last_unix_ns = 0;
    State state;
  };

  explicit SeriesTable(size_t cap, State initial = State{}) : cap_(cap), initial_(initial) {}

  Series& at(std::span<const std::string_view> values, int64_t unix_ns) {
    std::string key = series_key(values);
    auto it = series_.find(key);
    if (it == series_.end()) {
      if (series_.size() >= cap_ || bytes_ + key.size() > cap_ * kBytesPerSeries)
        return touch_overflow(unix_ns);
      auto fresh = std::make_unique<Series>();
      fresh->values.assign(values.begin(), values.end());
      fresh->start_unix_ns = unix_ns;
      fresh->state = initial_;
      bytes_ += key.size();
      it = series_.emplace(std::move(key), std::move(fresh)).first;
    }
    if (unix_ns > it->second->last_unix_ns) it->second->last_unix_ns = unix_ns;
    return *it->second;
  }

  // Forgets series that nobody touched since `before`; returns how many.
  size_t expire(int64_t before_unix_ns) {
    size_t gone = std::erase_if(series_, [&](const auto& e) {
      if (e.second->last_unix_ns >= before_unix_ns) return false;
      bytes_ -= e.first.size();
      return true;
    });
    if (overflow_ && overflow_->last_unix_ns < before_unix_ns) overflow_.reset();
    return gone;
  }

  template <class Fn>
  void for_each(Fn&& fn) const {
    for (const auto& [key, series] : series_) fn(*series);
    if (overflow_) fn(*overflow_);
  }

  size_t size() const { return series_.size(); }
  uint64_t overflowed() const { return overflowed_; }

 private:
  Series& touch_overflow(int64_t unix_ns) {
    if (!overflow_) {
      overflow_ = std::make_unique<Series>();
      overflow_->overflow = true;
      overflow_->start_unix_ns = unix_ns;
      overflow_->state = initial_;
    }
    overflowed_++;
    if (unix_ns > overflow_->last_unix_ns) overflow_->last_unix_ns = unix_ns;
    return *overflow_;
  }

  size_t cap_, bytes_ = 0;  // Bytes of the keys; the values are as long.
  State initial_;
  std::unordered_map<std::string, std::unique_ptr<Series>> series_;
  std::unique_ptr<Series> overflow_;
  uint64_t overflowed_ = 0;
};

}  // namespace sonde::rollup
