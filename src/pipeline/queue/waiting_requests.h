// SPDX-License-Identifier: Apache-2.0
// The requests that wait in a sending queue: in one line, or in one for each combination of the
// metadata that batches are kept apart by. Private to signal_queue.cc.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "pipeline/queue/queued_request.h"
#include "pipeline/queue/sending_settings.h"

namespace sonde::pipeline {

class WaitingRequests {
 public:
  struct Line {
    std::string key;
    std::deque<QueuedRequest> requests;
    uint64_t size = 0;  // In the batch's sizer.
    // The metadata that all of them share, for a request that is made of several.
    std::shared_ptr<const RequestContext> context;
  };

  explicit WaitingRequests(const QueueSettings& settings);

  bool batching() const { return batch_ != nullptr; }
  bool in_bytes() const { return in_bytes_; }
  uint64_t size_of(const QueuedRequest& request) const { return request.size(in_bytes_); }
  size_t count() const { return count_; }
  uint64_t bytes_in_memory() const { return bytes_; }

  // What is on disk stays in memory too up to 32 MiB, so that a queue that keeps up reads nothing
  // back; past that the request is unloaded.
  void push(QueuedRequest request);
  // Of a line that is not empty.
  QueuedRequest pop(Line& line);
  // What pop() gave, loaded or not, or parts of it, the last first.
  void push_front(Line& line, QueuedRequest request);
  // After the last pop(): the line may be gone then.
  void leave(Line& line);

  // The line from which a request can be made now, or nullptr; `wait` is then how long until there
  // may be one, 0 when nothing waits. Among several it is the one that has waited longest.
  Line* ready(int64_t now_ns, bool flush, Duration& wait);
  void clear();

  template <class Predicate>
  bool all_of(Predicate predicate) const {
    return std::ranges::all_of(lines_, [&](const auto& line) {
      return std::ranges::all_of(line.second.requests, predicate);
    });
  }
  template <class Visit>
  void each(Visit&& visit) {
    for (auto& [key, line] : lines_) {
      for (QueuedRequest& request : line.requests) visit(request);
    }
  }

 private:
  Line& line_of(const QueuedRequest& request);

  const QueueBatchSettings* const batch_;
  const bool in_bytes_;
  std::vector<std::string> keys_;  // In lower case.
  std::map<std::string, Line> lines_;
  Line& only_;  // Where there are no keys.
  size_t count_ = 0;
  uint64_t bytes_ = 0;         // In memory.
  uint64_t loaded_bytes_ = 0;  // Of those, what is on disk as well.
};

}  // namespace sonde::pipeline
