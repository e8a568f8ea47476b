// SPDX-License-Identifier: Apache-2.0
//
// Looking at the data that passes an edge while it passes. A tap point stands wherever a component
// gives data; while nobody watches it costs one load of a flag a batch. A watch keeps at most one
// batch, which shares the bytes that pass and holds nothing up: what comes until it is taken is
// counted and not kept. The board of all points is leased by the identity kTapBoard.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/bytes.h"
#include "data/batch.h"

namespace sonde::pipeline {

// A batch as it passed, and what passed unseen before it.
struct TapSample {
  Signal signal = Signal::Traces;
  std::vector<Bytes> chunks;
  uint64_t items = 0;
  uint64_t skipped_batches = 0;
  uint64_t skipped_items = 0;
};

// Thread safe.
class TapWatch {
 public:
  void offer(const Batch& batch);
  std::optional<TapSample> take();

 private:
  std::mutex mutex_;
  std::optional<TapSample> sample_;
  uint64_t skipped_batches_ = 0;
  uint64_t skipped_items_ = 0;
};

// Thread safe. Where `component` gives `signal`; `pipeline` is empty but for a connector that
// chooses between pipelines.
class TapPoint {
 public:
  void pass(const Batch& batch) {
    if (watched_.load(std::memory_order_relaxed)) offer(batch);
  }
  void add(const std::shared_ptr<TapWatch>& watch);

 private:
  void offer(const Batch& batch);

  std::atomic<bool> watched_{false};
  std::mutex mutex_;
  std::vector<std::weak_ptr<TapWatch>> watches_;
};

inline constexpr std::string_view kTapBoard = "pipeline/taps";

// Thread safe.
class TapBoard {
 public:
  // The one of this name, which instances on several shards share.
  std::shared_ptr<TapPoint> point(std::string_view component, Signal signal,
                                  std::string_view pipeline);
  // Watches what `component` gives of `signal` into `pipeline`, until the watch is let go; nullptr
  // where nothing of that name gives it.
  std::shared_ptr<TapWatch> watch(std::string_view component, Signal signal,
                                  std::string_view pipeline);

 private:
  using Name = std::tuple<std::string, Signal, std::string>;
  std::mutex mutex_;
  std::map<Name, std::weak_ptr<TapPoint>> points_;
};

}  // namespace sonde::pipeline
