// SPDX-License-Identifier: Apache-2.0
#include "pipeline/graph/lifecycle.h"

#include <algorithm>
#include <ranges>
#include <thread>

#include "base/log.h"
#include "net/socket/listen_scope.h"

namespace sonde::pipeline {
namespace {

// The time that is left to everything that stops together.
class Clockwork {
 public:
  explicit Clockwork(const Patience& patience) : patience_(patience) {}

  // False when `limit`, counted from the beginning, has passed first.
  bool until(Duration limit, const std::function<bool()>& done) {
    Duration step = std::chrono::milliseconds(1);
    while (!done()) {
      if (spent_ >= limit) return false;
      if (patience_.wait) {
        patience_.wait(step);
        spent_ += step;
      } else {
        const auto before = std::chrono::steady_clock::now();
        std::this_thread::sleep_for(step);
        spent_ += std::chrono::steady_clock::now() - before;
      }
      step = std::min<Duration>(step * 2, std::chrono::milliseconds(10));
    }
    return true;
  }

 private:
  const Patience& patience_;
  Duration spent_{};
};

// An extension that another asked for is started with it, and its error is the one that says why.
// `seen` ends the walk where extensions asked for each other.
const Instance& root_cause(const Build& build, const Instance& failed,
                           std::set<const Instance*> seen = {}) {
  seen.insert(&failed);
  const std::set<std::string> asked_for = failed.host->asked_for();
  for (const auto& other : build.instances) {
    if (seen.contains(other.get()) || other->error.message.empty() || build.carried(*other))
      continue;
    if (other->type->kind == Kind::Extension && asked_for.contains(other->id)) {
      return root_cause(build, *other, std::move(seen));
    }
  }
  return failed;
}

}  // namespace

Result<> start_instances(Build& build) {
  const std::set<const void*> leaving = build.leaving();
  for (const auto& instance : build.instances) {
    if (build.carried(*instance)) continue;
    Result<> result;
    instance->shard->call([&] {
      const net::ListenScope shares(leaving);
      result = instance->start();
    });
    if (!result) return std::unexpected(root_cause(build, *instance).error);
  }
  build.order_extensions();
  return {};
}

void end_instances(Build& build, const std::function<bool(const Instance&)>& goes,
                   const std::function<bool(const Instance&)>& has_time, const Patience& patience) {
  Clockwork clockwork(patience);
  const auto drained = [](Instance& instance) {
    bool empty = false;
    instance.shard->call([&] { empty = instance.component->drained(); });
    return empty;
  };
  for (const auto& instance : std::views::reverse(build.instances)) {
    if (instance->state != Instance::State::Running || !goes(*instance)) continue;
    const Kind kind = instance->type->kind;
    const bool last = kind == Kind::Exporter || kind == Kind::Extension;
    const Duration limit = last ? patience.limit : patience.limit / 2;
    clockwork.until(limit, [&] { return build.quiet(*instance); });
    if (has_time(*instance)) {
      clockwork.until(patience.limit * 3 / 4, [&] { return drained(*instance); });
    }
    instance->shard->call([&] { instance->stop(); });
    if (!clockwork.until(limit, [&] { return drained(*instance); })) {
      log_warn("{} still holds data after {}; giving up", instance->id,
               config::format_duration(limit));
    }
    instance->shard->call([&] { instance->host->report_status({.kind = StatusKind::Stopped}); });
    instance->state = Instance::State::Stopped;
  }
  // While the loops still run: components may hold clients of them.
  for (const auto& instance : std::views::reverse(build.instances)) {
    if (!goes(*instance)) continue;
    instance->shard->call([&] {
      build.shut(*instance);
      instance->component.reset();
    });
  }
}

}  // namespace sonde::pipeline
