// SPDX-License-Identifier: Apache-2.0
// Those who called grpc.health.v1.Health/Watch: each is told the serving status of its service at
// once and whenever it changes. The board is looked at now and then, only while somebody watches.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/repeating_timer.h"
#include "components/extension/healthcheckv2/grpc_health.h"
#include "net/grpc/grpc_server.h"

namespace sonde::healthcheckv2 {

inline constexpr size_t kMostWatchers = 1000;
inline constexpr Duration kWatchEvery = std::chrono::milliseconds(100);

class Watchers {
 public:
  using MakeHealth = std::function<pipeline::Health()>;

  Watchers(Scheduler& scheduler, pipeline::HealthRule rule, MakeHealth health)
      : scheduler_(scheduler), rule_(rule), health_(std::move(health)) {}

  void add(std::string service, net::GrpcResponder responder);
  // Ends all with CANCELLED.
  void close();

 private:
  struct Watcher {
    std::string service;
    net::GrpcStream stream;
    std::optional<Serving> told = {};
  };
  void tell(Watcher& watcher, const pipeline::Health& health);
  void tick();

  Scheduler& scheduler_;
  const pipeline::HealthRule rule_;
  const MakeHealth health_;
  std::vector<Watcher> watchers_;
  RepeatingTimer timer_;
};

}  // namespace sonde::healthcheckv2
