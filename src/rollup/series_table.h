// SPDX-License-Identifier: Apache-2.0
// A table of series: label values -> State. Past the cap on series, or on the bytes of their
// values, every new tuple lands in one shared overflow series (marked otel_metric_overflow="true"
// by whoever writes it out), so sums stay true and memory stays bounded; it is charged to the
// memory ledger. Label names are the owner's business: the table only sees values, in the owner's
// fixed order. It is not thread safe.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/memory_ledger.h"

namespace sonde::rollup {

inline constexpr std::string_view kOverflowLabel = "otel_metric_overflow";

// Of the values of one series. What is longer belongs to the overflow series, and is not read.
inline constexpr size_t kMaxSeriesBytes = size_t{16} << 10;
// What the values of a series may hold on average: all of a table so much times its cap.
inline constexpr size_t kBytesPerSeries = size_t{2} << 10;

// The hash of a tuple, which can be taken in parts. It tells apart where values begin and end.
class SeriesHash {
 public:
  void add(std::span<const std::string_view> values) {
    for (const std::string_view value : values) bytes_ += value.size();
    if (too_long()) return;
    for (const std::string_view value : values) {
      hash_ = (hash_ ^ std::hash<std::string_view>{}(value)) * 0x9e3779b97f4a7c15;
      hash_ ^= hash_ >> 32;
    }
  }
  bool too_long() const { return bytes_ > kMaxSeriesBytes; }
  size_t bytes() const { return bytes_; }
  size_t value() const { return hash_; }

 private:
  size_t bytes_ = 0;
  size_t hash_ = 0;
};

// The values that many tuples begin with, hashed once. It holds views.
class SeriesPrefix {
 public:
  SeriesPrefix() = default;
  explicit SeriesPrefix(std::span<const std::string_view> values)
      : values_(values.begin(), values.end()) {
    hash_.add(values);
  }
  std::span<const std::string_view> values() const { return values_; }
  SeriesHash hash() const { return hash_; }

 private:
  std::vector<std::string_view> values_;
  SeriesHash hash_;
};

template <class State>
class SeriesTable {
 public:
  struct Series {
    std::vector<std::string> values;  // Empty for the overflow series.
    bool overflow = false;
    int64_t start_unix_ns = 0;  // First observation, the start time of the cumulative series.
    int64_t last_unix_ns = 0;
    State state;

   private:
    friend class SeriesTable;
    size_t hash = 0;
    MemoryCharge charge;
    size_t bytes() const {
      size_t sum = 0;
      for (const std::string& value : values) sum += value.size();
      return sum;
    }
  };

  explicit SeriesTable(size_t cap, State initial = State{})
      : cap_(cap), max_bytes_(cap * kBytesPerSeries), initial_(std::move(initial)) {}

  Series& at(std::span<const std::string_view> values, int64_t unix_ns) {
    static const SeriesPrefix kNone;
    return at(kNone, values, unix_ns);
  }
  // The series of the values of the prefix and then these.
  Series& at(const SeriesPrefix& prefix, std::span<const std::string_view> rest, int64_t unix_ns) {
    SeriesHash hash = prefix.hash();
    hash.add(rest);
    if (hash.too_long()) return touch_overflow(unix_ns);
    const Tuple tuple{prefix.values(), rest, hash.value()};
    auto it = series_.find(tuple);
    if (it == series_.end()) {
      if (series_.size() >= cap_ || bytes_ + hash.bytes() > max_bytes_) {
        return touch_overflow(unix_ns);
      }
      it = series_.insert(made(tuple, hash.bytes(), unix_ns)).first;
      bytes_ += hash.bytes();
    }
    Series& series = **it;
    if (unix_ns > series.last_unix_ns) series.last_unix_ns = unix_ns;
    return series;
  }

  // Forgets series that nobody touched since `before`; returns how many.
  size_t expire(int64_t before_unix_ns) {
    const size_t gone = std::erase_if(series_, [&](const std::unique_ptr<Series>& series) {
      if (series->last_unix_ns >= before_unix_ns) return false;
      bytes_ -= series->bytes();
      return true;
    });
    if (overflow_ && overflow_->last_unix_ns < before_unix_ns) overflow_.reset();
    return gone;
  }

  template <class Fn>
  void for_each(Fn&& fn) const {
    for (const auto& series : series_) fn(*series);
    if (overflow_) fn(*overflow_);
  }

  size_t size() const { return series_.size(); }
  size_t bytes() const { return bytes_; }  // Of the values of all series.
  uint64_t overflowed() const { return overflowed_; }

 private:
  struct Tuple {
    std::span<const std::string_view> first, rest;
    size_t hash;
    bool is(const std::vector<std::string>& values) const {
      return values.size() == first.size() + rest.size() &&
             std::equal(first.begin(), first.end(), values.begin()) &&
             std::equal(rest.begin(), rest.end(),
                        values.begin() + static_cast<ptrdiff_t>(first.size()));
    }
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(const std::unique_ptr<Series>& series) const { return series->hash; }
    size_t operator()(const Tuple& tuple) const { return tuple.hash; }
  };
  struct Equal {
    using is_transparent = void;
    using Kept = std::unique_ptr<Series>;
    bool operator()(const Kept& a, const Kept& b) const { return a->values == b->values; }
    bool operator()(const Tuple& a, const Kept& b) const {
      return a.hash == b->hash && a.is(b->values);
    }
    bool operator()(const Kept& a, const Tuple& b) const { return (*this)(b, a); }
  };

  std::unique_ptr<Series> made(const Tuple& tuple, size_t bytes, int64_t unix_ns) const {
    auto series = std::make_unique<Series>();
    series->values.reserve(tuple.first.size() + tuple.rest.size());
    series->values.assign(tuple.first.begin(), tuple.first.end());
    series->values.insert(series->values.end(), tuple.rest.begin(), tuple.rest.end());
    series->hash = tuple.hash;
    series->start_unix_ns = unix_ns;
    series->state = initial_;
    series->charge =
        MemoryCharge(sizeof(Series) + series->values.size() * sizeof(std::string) + bytes);
    return series;
  }

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

  size_t cap_;
  size_t max_bytes_;
  size_t bytes_ = 0;
  State initial_;
  std::unordered_set<std::unique_ptr<Series>, Hash, Equal> series_;
  std::unique_ptr<Series> overflow_;
  uint64_t overflowed_ = 0;
};

}  // namespace sonde::rollup
