// SPDX-License-Identifier: Apache-2.0
//
// Every key that the Collector takes is taken; those without an effect here are said to have none.
#include "config/telemetry.h"

#include <algorithm>

#include "base/ascii.h"
#include "config/field.h"
#include "config/telemetry_settings.h"

namespace sonde::config {
namespace {

using namespace telemetry;

struct Telemetry {
  Value logs, metrics, traces, resource;
};
constexpr auto kTelemetry = fields<Telemetry>(
    field("logs", &Telemetry::logs, "Own logs."),
    field("metrics", &Telemetry::metrics, "Own metrics."),
    field("traces", &Telemetry::traces, "Own traces: no effect."),
    field("resource", &Telemetry::resource, "Attributes of own telemetry: no effect."));

constexpr std::string_view kPath = "service::telemetry";
constexpr int kMaxSamplers = 20;  // One within the other.

void no_effect(const Value& parent, std::string_view path,
               std::initializer_list<std::string_view> used, Graph& graph) {
  for (const Entry& entry : parent.entries) {
    if (std::ranges::find(used, entry.key) != used.end()) continue;
    graph.warnings.push_back(entry.position.to_string() + ": " + std::string(path) +
                             "::" + entry.key + " has no effect");
  }
}

struct Level {
  std::string_view name;
  int64_t number;
};
constexpr Level kLogLevels[] = {{"info", 0},   {"", 0},        {"debug", -1},
                                {"warn", 1},   {"warning", 1}, {"error", 2},
                                {"dpanic", 3}, {"panic", 4},   {"fatal", 5}};
constexpr Level kMetricLevels[] = {{"basic", 0}, {"none", -1}, {"normal", 1}, {"detailed", 2}};

// A level is a word in any case, or the number that the Collector has for it; a null is its zero.
// Answers the first name of the level.
template <size_t N>
std::string_view read_level(const Value& parent, const Level (&levels)[N],
                            std::string_view otherwise, const std::string& path,
                            std::string_view advice, Problems& problems) {
  const Value* level = parent.find("level");
  if (!level) return otherwise;
  const std::string word = level->type == Value::Type::String ? lower(level->text) : "?";
  const auto same = [&](const Level& one) {
    if (level->is_null()) return one.number == 0;
    return level->type == Value::Type::Int ? one.number == level->integer : one.name == word;
  };
  const auto found = std::ranges::find_if(levels, same);
  if (found == std::end(levels)) {
    problems.add(level->position, path + "::level: use " + std::string(advice));
    return otherwise;
  }
  const int64_t number = found->number;
  return std::ranges::find(levels, number, &Level::number)->name;
}

void read_logs(const Value& value, Graph& graph, Problems& problems) {
  const std::string path = std::string(kPath) + "::logs";
  Logs logs;
  problems.ok(decode(value, kLogs.table(), &logs, path));
  graph.log_level =
      read_level(value, kLogLevels, "info", path, "debug, info, warn or error", problems);
  // The last three only ever write what is at least an error.
  if (graph.log_level == "dpanic" || graph.log_level == "panic" || graph.log_level == "fatal") {
    graph.log_level = "error";
  }
  no_effect(value, path, {"level"}, graph);
}

// The address stands in `address`, or in the readers that newer Collectors have.
void read_metrics(const Value& value, Graph& graph, Problems& problems) {
  const std::string path = std::string(kPath) + "::metrics";
  Metrics metrics;
  const bool decoded = problems.ok(decode(value, kMetrics.table(), &metrics, path));
  const std::string_view level =
      read_level(value, kMetricLevels, "normal", path, "none, basic, normal or detailed", problems);
  if (!decoded) return;
  const Value* views = value.find("views");
  if (views && !views->is_null() && level != "detailed") {
    problems.add(views->position, path + "::views: only goes with the level detailed");
  }
  if (!metrics.address.empty()) graph.telemetry_address = metrics.address;
  const Value* readers = value.find("readers");
  if (readers && !readers->is_null() && metrics.readers.empty() && level != "none") {
    problems.add(readers->position,
                 path + "::readers: at least one is needed where the level is not none");
  }
  for (size_t i = 0; i < metrics.readers.size(); ++i) {
    const Value* at = readers && readers->is_list() ? &readers->items[i] : nullptr;
    const Position position = at ? at->position : value.position;
    for (const std::string_view key : {"pull", "exporter", "prometheus"}) {
      if (at) at = at->find(key);
    }
    if (!at) {
      graph.warnings.push_back(position.to_string() + ": " + path +
                               "::readers: only pull::exporter::prometheus has an effect");
      continue;
    }
    const Prometheus& prometheus = metrics.readers[i].pull.exporter.prometheus;
    graph.telemetry_address = prometheus.host + ":" + std::to_string(prometheus.port);
  }
  if (level == "none") graph.telemetry_address.clear();
  no_effect(value, path, {"level", "address", "readers"}, graph);
}

void read_sampler(const Value& value, const std::string& path, int depth, Problems& problems) {
  if (value.is_null()) return;
  if (depth > kMaxSamplers) {
    problems.add(value.position, path + ": samplers are nested too deeply");
    return;
  }
  Sampler sampler;
  if (!problems.ok(decode(value, kSampler.table(), &sampler, path))) return;
  for (const std::string_view outer : {"parent_based", "jaeger_remote"}) {
    const Value* map = value.find(outer);
    if (!map) continue;
    for (const Entry& entry : map->entries) {
      if (entry.key == "endpoint" || entry.key == "interval") continue;
      read_sampler(entry.value, path + "::" + std::string(outer) + "::" + entry.key, depth + 1,
                   problems);
    }
  }
}

void read_traces(const Value& value, Problems& problems) {
  const std::string path = std::string(kPath) + "::traces";
  Traces traces;
  problems.ok(decode(value, kTraces.table(), &traces, path));
  read_level(value, kMetricLevels, "basic", path, "none or basic", problems);
  read_sampler(traces.sampler, path + "::sampler", 0, problems);
}

// Either the keys of the declarative configuration, or attributes with their text: a null takes an
// attribute away that is there by default.
void read_resource(const Value& value, Problems& problems) {
  const std::string path = std::string(kPath) + "::resource";
  Value declared = value;
  const bool listed = [&] {
    const Value* list = value.find("attributes");
    return list && list->is_list() && !list->items.empty();
  }();
  std::erase_if(declared.entries, [&](const Entry& entry) {
    const std::string at = path + "::" + entry.key + ": ";
    for (size_t i = 0; i < kResource.size(); ++i) {
      if (kResource.info(i).name == entry.key) return false;
    }
    if (entry.key == "attributes_list") {
      problems.add(entry.position, at + "is not supported; use `attributes`");
    } else if (entry.value.type != Value::Type::String && !entry.value.is_null()) {
      problems.add(entry.value.position, at + "expected a string in quotes or null, got " +
                                             std::string(type_name(entry.value.type)));
    } else if (listed) {
      problems.add(entry.position, at + "attributes stand here or in `attributes`, not in both");
    }
    return true;
  });
  Resource resource;
  problems.ok(decode(declared, kResource.table(), &resource, path));
}

// Headers are a map, or a list of `name` and `value`; of either only the names are shown.
void mask(Value& value, bool listed = false) {
  for (Value& item : value.items) mask(item, true);
  for (Entry& entry : value.entries) {
    if (!listed || entry.key != "name") mask(entry.value);
  }
  if (value.is_scalar() && !value.text.empty()) value = Value::string("[REDACTED]");
}

}  // namespace

void mask_telemetry(Value& telemetry) {
  for (Value& item : telemetry.items) mask_telemetry(item);
  for (Entry& entry : telemetry.entries) {
    const bool secret = entry.key == "headers" || entry.key == "headers_list";
    secret ? mask(entry.value) : mask_telemetry(entry.value);
  }
}

void read_telemetry(const Value& value, Graph& graph, Problems& problems) {
  Telemetry telemetry;
  if (!problems.ok(decode(value, kTelemetry.table(), &telemetry, kPath))) return;
  no_effect(value, kPath, {"logs", "metrics"}, graph);
  read_logs(telemetry.logs, graph, problems);
  read_metrics(telemetry.metrics, graph, problems);
  read_traces(telemetry.traces, problems);
  read_resource(telemetry.resource, problems);
}

}  // namespace sonde::config
