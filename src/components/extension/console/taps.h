// SPDX-License-Identifier: Apache-2.0
// The live tap of /api/v1/pipelines/tap: batches that pass an edge, as text, over server-sent
// events. Bounded in watchers, in batches a second, in records and in bytes of text; what is not
// shown is counted. While nobody watches it does nothing at all.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/repeating_timer.h"
#include "net/http/http_server.h"
#include "pipeline/introspection/tap.h"
#include "pipeline/introspection/topology.h"

namespace sonde::console {

inline constexpr size_t kMostTaps = 8;
inline constexpr Duration kTapEvery = std::chrono::milliseconds(250);  // At most a batch each time.
inline constexpr size_t kTapItems = 10;                                // Shown of a batch.
inline constexpr size_t kTapText = 64 * 1024;                          // Bytes of text of a batch.
inline constexpr size_t kTapChunk = 8 * 1024 * 1024;  // What is larger is not read.

// The event "batch" of a sample.
std::string tap_json(const pipeline::TapSample& sample, int64_t now_ms);

class Taps {
 public:
  Taps(Scheduler& scheduler, std::shared_ptr<pipeline::TopologyBoard> topology,
       std::shared_ptr<pipeline::TapBoard> taps)
      : scheduler_(scheduler), topology_(std::move(topology)), taps_(std::move(taps)) {}

  // Answers 404 when no such edge runs and 429 when too many watch.
  void open(const std::string& edge, net::Responder responder);
  size_t watchers() const { return watchers_.size(); }

 private:
  struct Watcher {
    std::string edge;
    net::Stream stream;
    std::shared_ptr<pipeline::TapWatch> watch;
    int64_t said_ns = 0;  // When something was last sent.
  };
  std::shared_ptr<pipeline::TapWatch> find(const std::string& edge) const;
  void tick();
  // False when the watcher is done.
  bool serve(Watcher& watcher, bool graph_changed);

  Scheduler& scheduler_;
  const std::shared_ptr<pipeline::TopologyBoard> topology_;
  const std::shared_ptr<pipeline::TapBoard> taps_;
  std::shared_ptr<const pipeline::Topology> seen_;
  std::vector<Watcher> watchers_;
  RepeatingTimer timer_;
};

}  // namespace sonde::console
