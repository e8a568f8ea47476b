// SPDX-License-Identifier: Apache-2.0
#include "app/feature_gates.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/problems.h"

namespace sonde::app {

FeatureGates::FeatureGates()
    : gates_{{"confmap.enableMergeAppendOption", "Alpha",
              "Joins lists of service::extensions and of pipelines' receivers and exporters from "
              "several files, in place of taking the last.",
              false, "v0.120.0"},
             {"service.AllowNoPipelines", "Alpha", "Takes a configuration without pipelines.",
              false, "v0.122.0"},
             {"service.profilesSupport", "Alpha", "No effect: profiles are not supported.", false,
              "v0.112.0"},
             {"telemetry.newPipelineTelemetry", "Alpha",
              "No effect: own metrics always name the component.", false, "v0.123.0"}} {}

Result<> FeatureGates::apply(std::string_view list) {
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    std::string_view id = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    bool enable = true;
    if (id.starts_with('+') || id.starts_with('-')) {
      enable = id[0] == '+';
      id.remove_prefix(1);
    }
    const auto gate = std::ranges::find(gates_, id, &FeatureGate::id);
    if (gate == gates_.end()) {
      std::vector<std::string_view> ids;
      std::string known;
      for (const FeatureGate& g : gates_) {
        ids.push_back(g.id);
        known += (known.empty() ? "" : ", ") + std::string(g.id);
      }
      return fail(ErrorKind::Invalid,
                  fmt::format("--feature-gates: there is no gate \"{}\"{}; there are {}", id,
                              config::suggestion(id, ids), known));
    }
    gate->enabled = enable;
  }
  return {};
}

const FeatureGate* FeatureGates::find(std::string_view id) const {
  const auto gate = std::ranges::find(gates_, id, &FeatureGate::id);
  return gate == gates_.end() ? nullptr : &*gate;
}

bool FeatureGates::enabled(std::string_view id) const {
  const FeatureGate* gate = find(id);
  return gate && gate->enabled;
}

FeatureGates& feature_gates() {
  static FeatureGates gates;
  return gates;
}

Result<std::string> describe_gates(const FeatureGates& gates, std::string_view id) {
  if (!id.empty()) {
    const FeatureGate* gate = gates.find(id);
    if (!gate) {
      return fail(
          ErrorKind::NotFound,
          fmt::format("there is no feature gate \"{}\"; `sonde featuregate` lists them", id));
    }
    return fmt::format("Feature: {}\nEnabled: {}\nStage: {}\nDescription: {}\nFrom Version: {}\n",
                       gate->id, gate->enabled, gate->stage, gate->description, gate->from_version);
  }
  std::string out = fmt::format("{:<34} {:<8} {:<6} {}\n", "ID", "Enabled", "Stage", "Description");
  for (const FeatureGate& gate : gates.all()) {
    out +=
        fmt::format("{:<34} {:<8} {:<6} {}\n", gate.id, gate.enabled, gate.stage, gate.description);
  }
  return out;
}

}  // namespace sonde::app
