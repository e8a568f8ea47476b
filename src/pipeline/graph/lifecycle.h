// SPDX-License-Identifier: Apache-2.0
//
// The order in which the instances of a build start and stop, on their shards. Only the engine uses
// this, from its own thread.
#pragma once

#include <functional>

#include "base/result.h"
#include "pipeline/graph/build.h"

namespace sonde::pipeline {

struct Patience {
  // For all that stops together; what feeds exporters has half of it.
  Duration limit = std::chrono::seconds(10);
  // In place of sleeping.
  std::function<void(Duration)> wait = {};
};

// What data flows to before what it flows from. Stops at the first error, which says which
// component it was; what had started by then runs.
Result<> start_instances(Build& build);

// Those that `goes` names: what data flows from before what it flows to, each when what was on its
// way has reached it. Those that `has_time` names may first let go of what they hold as if nothing
// had happened. Afterwards they are destroyed. All of it takes at most the patience, but for calls.
void end_instances(Build& build, const std::function<bool(const Instance&)>& goes,
                   const std::function<bool(const Instance&)>& has_time, const Patience& patience);

}  // namespace sonde::pipeline
