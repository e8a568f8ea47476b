// SPDX-License-Identifier: Apache-2.0
#include "app/facts.h"

#include "app/feature_gates.h"
#include "base/time.h"
#include "config/print.h"
#include "pipeline/lease.h"

namespace sonde::app {

std::shared_ptr<pipeline::ProcessFactsBoard> publish_facts(const Configuration& configuration) {
  static const int64_t started = SystemClock::instance().unix_ns();
  pipeline::ProcessFacts facts{.version = SONDE_VERSION, .started_unix_ns = started};
  if (const auto printed = effective_configuration(configuration, false)) {
    facts.configuration_json = config::to_json(*printed);
  }
  for (const FeatureGate& gate : feature_gates().all()) {
    facts.gates.push_back({.id = std::string(gate.id),
                           .stage = std::string(gate.stage),
                           .description = std::string(gate.description),
                           .from_version = std::string(gate.from_version),
                           .enabled = gate.enabled});
  }
  auto board = std::static_pointer_cast<pipeline::ProcessFactsBoard>(
      pipeline::lease(pipeline::kProcessFacts, typeid(pipeline::ProcessFactsBoard),
                      [] { return std::make_shared<pipeline::ProcessFactsBoard>(); }));
  board->publish(std::move(facts));
  return board;
}

}  // namespace sonde::app
