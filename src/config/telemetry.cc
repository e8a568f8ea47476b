// SPDX-License-Identifier: Apache-2.0
//
// Every key that the Collector takes is taken; those without an effect here are said to have none.
#include "config/telemetry.h"

#include <algorithm>

#include "base/ascii.h"
#include "config/field.h"

namespace sonde::config {
namespace {

struct Logs {
  std::string level = "info";
  Value development, encoding, disable_caller, disable_stacktrace, sampling, output_paths,
      error_output_paths, initial_fields, processors;
};
constexpr auto kLogs =
    fields<Logs>(field("level", &Logs::level, "debug, info, warn or error."),
                 field("development", &Logs::development, "No effect."),
                 field("encoding", &Logs::encoding, "No effect."),
                 field("disable_caller", &Logs::disable_caller, "No effect."),
                 field("disable_stacktrace", &Logs::disable_stacktrace, "No effect."),
                 field("sampling", &Logs::sampling, "No effect."),
                 field("output_paths", &Logs::output_paths, "No effect."),
                 field("error_output_paths", &Logs::error_output_paths, "No effect."),
                 field("initial_fields", &Logs::initial_fields, "No effect."),
                 field("processors", &Logs::processors, "No effect."));

struct Metrics {
  std::string level = "normal";
  std::string address;
  Value readers, views;
};
constexpr auto kMetrics = fields<Metrics>(
    field("level", &Metrics::level, "none, basic, normal or detailed."),
    field("address", &Metrics::address, "Where own metrics are served; `readers` is newer."),
    field("readers", &Metrics::readers, "Where own metrics are served."),
    field("views", &Metrics::views, "No effect."));

struct Telemetry {
  Value logs, metrics, traces, resource;
};
constexpr auto kTelemetry = fields<Telemetry>(
    field("logs", &Telemetry::logs, "Own logs."),
    field("metrics", &Telemetry::metrics, "Own metrics."),
    field("traces", &Telemetry::traces, "Own traces: no effect."),
    field("resource", &Telemetry::resource, "Attributes of own telemetry: no effect."));

constexpr std::string_view kPath = "service::telemetry";

void no_effect(const Value& parent, std::string_view path,
               std::initializer_list<std::string_view> used, Graph& graph) {
  for (const Entry& entry : parent.entries) {
    if (std::ranges::find(used, entry.key) != used.end()) continue;
    graph.warnings.push_back(entry.position.to_string() + ": " + std::string(path) +
                             "::" + entry.key + " has no effect");
  }
}

void read_logs(const Value& value, Graph& graph, Problems& problems) {
  const std::string path = std::string(kPath) + "::logs";
  Logs logs;
  if (!problems.ok(decode(value, kLogs.table(), &logs, path))) return;
  graph.log_level = lower(logs.level);
  // The last three only ever write what is at least an error.
  if (graph.log_level == "dpanic" || graph.log_level == "panic" || graph.log_level == "fatal") {
    graph.log_level = "error";
  }
  const std::vector<std::string_view> levels = {"debug", "info", "warn", "error"};
  if (std::ranges::find(levels, graph.log_level) == levels.end()) {
    const Value* level = value.find("level");
    problems.add(level ? level->position : value.position,
                 path + "::level: use debug, info, warn or error");
  }
  no_effect(value, path, {"level"}, graph);
}

// The address stands in `address`, or in the readers that newer Collectors have.
void read_metrics(const Value& value, Graph& graph, Problems& problems) {
  const std::string path = std::string(kPath) + "::metrics";
  Metrics metrics;
  if (!problems.ok(decode(value, kMetrics.table(), &metrics, path))) return;
  if (!metrics.address.empty()) graph.telemetry_address = metrics.address;
  for (const Value& reader : metrics.readers.items) {
    const Value* at = &reader;
    for (const std::string_view key : {"pull", "exporter", "prometheus"}) {
      if (at) at = at->find(key);
    }
    if (!at) {
      graph.warnings.push_back(reader.position.to_string() + ": " + path +
                               "::readers: only pull::exporter::prometheus has an effect");
      continue;
    }
    const Value* host = at->find("host");
    const Value* port = at->find("port");
    graph.telemetry_address =
        (host ? host->text : "127.0.0.1") + ":" + (port ? port->text : "8888");
  }
  const std::vector<std::string_view> levels = {"none", "basic", "normal", "detailed"};
  const std::string level = lower(metrics.level);
  if (std::ranges::find(levels, level) == levels.end()) {
    const Value* at = value.find("level");
    problems.add(at ? at->position : value.position,
                 path + "::level: use none, basic, normal or detailed");
  }
  if (level == "none") graph.telemetry_address.clear();
  no_effect(value, path, {"level", "address", "readers"}, graph);
}

}  // namespace

void read_telemetry(const Value& value, Graph& graph, Problems& problems) {
  Telemetry telemetry;
  if (!problems.ok(decode(value, kTelemetry.table(), &telemetry, kPath))) return;
  no_effect(value, kPath, {"logs", "metrics"}, graph);
  read_logs(telemetry.logs, graph, problems);
  read_metrics(telemetry.metrics, graph, problems);
}

}  // namespace sonde::config
