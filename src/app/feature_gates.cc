// SPDX-License-Identifier: Apache-2.0
#include "app/feature_gates.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "config/problems.h"

namespace sonde::app {

namespace {

constexpr std::string_view kNone = "No effect: a gate of the Collector 0.158.";

constexpr FeatureGate kWithoutEffect[] = {
    {"connector.servicegraph.legacyLatencyMetricNames", "Deprecated", kNone, false, "v0.80.0"},
    {"connector.servicegraph.legacyLatencyUnitMs", "Deprecated", kNone, false, "v0.89.0"},
    {"connector.servicegraph.virtualNode", "Stable", kNone, true, "v0.73.0"},
    {"connector.spanmetrics.excludeResourceMetrics", "Alpha", kNone, false, "v0.137.0"},
    {"connector.spanmetrics.includeCollectorInstanceID", "Beta", kNone, true, "v0.136.0"},
    {"connector.spanmetrics.legacyMetricNames", "Alpha", kNone, false, "v0.109.0"},
    {"connector.spanmetrics.useSecondAsDefaultMetricsUnit", "Alpha", kNone, false, "v0.137.0"},
    {"exporter.file.nativeCompression", "Alpha", kNone, false, "v0.154.0"},
    {"exporter.prometheusexporter.DisableAddMetricSuffixes", "Beta", kNone, true, "v0.132.0"},
    {"extension.healthcheck.useComponentStatus", "Alpha", kNone, false, "v0.142.0"},
    {"filter.filterlog.useOTTLBridge", "Alpha", kNone, false, ""},
    {"filter.filtermetric.useOTTLBridge", "Alpha", kNone, false, ""},
    {"filter.filterspan.useOTTLBridge", "Alpha", kNone, false, ""},
    {"ottl.PanicDuplicateName", "Beta", kNone, true, "v0.141.0"},
    {"ottl.contexts.enableOTelColContext", "Beta", kNone, true, "v0.147.0"},
    {"ottl.functions.enableLambda", "Alpha", kNone, false, "v0.155.0"},
    {"pdata.useProtoPooling", "Alpha", kNone, false, "v0.133.0"},
    {"pkg.translator.prometheus.PermissiveLabelSanitization", "Alpha", kNone, false, "v0.55.0"},
    {"processor.filter.defaultErrorModeIgnore", "Stable", kNone, true, "v0.150.0"},
    {"receiverhelper.newReceiverMetrics", "Alpha", kNone, false, "v0.138.0"},
    {"service.partialReload", "Alpha", kNone, false, "v0.157.0"},
    {"service.partialReloadReceivers", "Beta", kNone, true, "v0.157.0"},
    {"spanmetrics.statusCodeConvention.useOtelPrefix", "Alpha", kNone, false, "v0.141.0"},
};

}  // namespace

FeatureGates::FeatureGates()
    : gates_{
          {"confmap.enableMergeAppendOption", "Alpha",
           "Joins lists of service::extensions and of pipelines' receivers and exporters from "
           "several files, in place of taking the last.",
           false, "v0.120.0"},
          {"service.AllowNoPipelines", "Alpha", "Takes a configuration without pipelines.", false,
           "v0.122.0"},
          {"service.profilesSupport", "Alpha", "Takes pipelines of profiles.", false, "v0.112.0"},
          {"telemetry.newPipelineTelemetry", "Alpha",
           "No effect: own metrics always name the component.", false, "v0.123.0"}} {
  gates_.insert(gates_.end(), std::begin(kWithoutEffect), std::end(kWithoutEffect));
}

Result<> FeatureGates::apply(std::string_view list) {
  bool more = !list.empty();
  while (more) {
    more = list.contains(',');
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
      for (const FeatureGate& g : gates_) ids.push_back(g.id);
      return fail(ErrorKind::Invalid,
                  fmt::format("--feature-gates: there is no gate \"{}\"{}; `sonde featuregate` "
                              "lists them",
                              id, config::suggestion(id, ids)));
    }
    const std::string_view fixed = gate->stage == "Stable"       ? "cannot be turned off"
                                   : gate->stage == "Deprecated" ? "cannot be turned on"
                                                                 : "";
    if (!fixed.empty() && enable != gate->enabled) {
      return fail(ErrorKind::Invalid,
                  fmt::format("--feature-gates: \"{}\" is {} and {}", id, gate->stage, fixed));
    }
    if (gate->description == kNone && enable != gate->enabled) {
      log_warn("--feature-gates: \"{}\" has no effect here", id);
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
  std::string out =
      fmt::format("{:<52} {:<8} {:<10} {}\n", "ID", "Enabled", "Stage", "Description");
  for (const FeatureGate& gate : gates.all()) {
    out += fmt::format("{:<52} {:<8} {:<10} {}\n", gate.id, gate.enabled, gate.stage,
                       gate.description);
  }
  return out;
}

}  // namespace sonde::app
