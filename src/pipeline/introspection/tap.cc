// SPDX-License-Identifier: Apache-2.0
#include "pipeline/introspection/tap.h"

#include <utility>

#include "pipeline/payload.h"

namespace sonde::pipeline {

void TapWatch::offer(const Batch& batch) {
  const uint64_t items = batch.items();
  const std::lock_guard lock(mutex_);
  if (sample_) {
    ++skipped_batches_;
    skipped_items_ += items;
    return;
  }
  sample_ = TapSample{
      .signal = batch.signal,
      .chunks = chunks_of(batch).value_or(std::vector<Bytes>()),  // what nothing else opens
      .items = items,
      .skipped_batches = std::exchange(skipped_batches_, 0),
      .skipped_items = std::exchange(skipped_items_, 0)};
}

std::optional<TapSample> TapWatch::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(sample_, std::nullopt);
}

void TapPoint::add(const std::shared_ptr<TapWatch>& watch) {
  const std::lock_guard lock(mutex_);
  watches_.push_back(watch);
  watched_.store(true, std::memory_order_relaxed);
}

void TapPoint::offer(const Batch& batch) {
  const std::lock_guard lock(mutex_);
  std::erase_if(watches_, [&](const std::weak_ptr<TapWatch>& weak) {
    const auto watch = weak.lock();
    if (watch) watch->offer(batch);
    return watch == nullptr;
  });
  watched_.store(!watches_.empty(), std::memory_order_relaxed);
}

std::shared_ptr<TapPoint> TapBoard::point(std::string_view component, Signal signal,
                                          std::string_view pipeline) {
  const std::lock_guard lock(mutex_);
  std::erase_if(points_, [](const auto& entry) { return entry.second.expired(); });
  auto& known = points_[{std::string(component), signal, std::string(pipeline)}];
  auto point = known.lock();
  if (!point) {
    point = std::make_shared<TapPoint>();
    known = point;
  }
  return point;
}

std::shared_ptr<TapWatch> TapBoard::watch(std::string_view component, Signal signal,
                                          std::string_view pipeline) {
  const std::lock_guard lock(mutex_);
  auto watch = std::make_shared<TapWatch>();
  bool found = false;
  // A connector gives either to all its pipelines or to one of them; its batches pass one point.
  for (const std::string_view into : {std::string_view(), pipeline}) {
    const auto at = points_.find(Name{component, signal, into});
    const auto point = at == points_.end() ? nullptr : at->second.lock();
    if (!point) continue;
    point->add(watch);
    found = true;
    if (pipeline.empty()) break;
  }
  return found ? watch : nullptr;
}

}  // namespace sonde::pipeline
