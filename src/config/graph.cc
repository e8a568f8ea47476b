// SPDX-License-Identifier: Apache-2.0
#include "config/graph.h"

#include <algorithm>

#include "config/field.h"

namespace sonde::config {
namespace {

constexpr Section kSections[] = {Section::Receivers, Section::Processors, Section::Exporters,
                                 Section::Connectors, Section::Extensions};

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

bool type_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// "type" or "type/name", as the Collector has it.
Result<> split_id(ComponentNode& node) {
  const size_t slash = node.id.find('/');
  node.type = node.id.substr(0, slash);
  if (node.type.empty() || !std::ranges::all_of(node.type, type_char)) {
    return fail_at(node.position,
                   quoted(node.id) + " is not a component id; write type or type/name");
  }
  if (slash != std::string::npos) {
    node.name = node.id.substr(slash + 1);
    if (node.name.empty()) {
      return fail_at(node.position, quoted(node.id) + " has no name after the slash");
    }
  }
  return {};
}

Result<> unknown_key(const Entry& entry, std::string_view path,
                     const std::vector<std::string_view>& known) {
  if (std::ranges::find(known, entry.key) != known.end()) return {};
  std::string message = path.empty() ? std::string() : std::string(path) + ": ";
  message += "unknown key " + quoted(entry.key);
  const std::string_view close = nearest(entry.key, known);
  if (!close.empty()) message += "; did you mean " + quoted(close) + "?";
  return fail_at(entry.position, message);
}

Result<> expect_map(const Value& value, std::string_view path) {
  if (value.is_map() || value.is_null()) return {};
  return fail_at(value.position,
                 std::string(path) + ": expected a map, got " + std::string(type_name(value.type)));
}

Result<std::vector<Reference>> references(const Value& parent, std::string_view key,
                                          std::string_view path) {
  std::vector<Reference> result;
  const Value* list = parent.find(key);
  if (!list || list->is_null()) return result;
  const std::string where = std::string(path) + "::" + std::string(key);
  if (!list->is_list()) {
    return fail_at(list->position, where + ": expected a list of component ids, got " +
                                       std::string(type_name(list->type)));
  }
  for (const Value& item : list->items) {
    if (!item.is_scalar() || item.text.empty()) {
      return fail_at(item.position, where + ": expected a component id");
    }
    const auto same = [&](const Reference& r) { return r.id == item.text; };
    if (std::ranges::any_of(result, same)) {
      return fail_at(item.position, where + ": " + quoted(item.text) + " is listed twice");
    }
    result.push_back({item.text, item.position});
  }
  return result;
}

class Builder {
 public:
  explicit Builder(const Value& root) : root_(root) {}

  Result<Graph> build() {
    if (!root_.is_map()) {
      return fail_at(root_.position,
                     "the configuration is empty; it needs receivers, exporters "
                     "and service::pipelines");
    }
    for (const Entry& entry : root_.entries) {
      TRY(unknown_key(
          entry, "",
          {"receivers", "processors", "exporters", "connectors", "extensions", "service"}));
    }
    for (const Section section : kSections) TRY(components(section));
    const Value* service = root_.find("service");
    if (!service || !service->is_map()) {
      return fail_at(service ? service->position : root_.position,
                     "\"service\" is missing; it lists the pipelines");
    }
    TRY(read_service(*service));
    TRY(check_references());
    warn_unused();
    return std::move(graph_);
  }

 private:
  Result<> components(Section section) {
    const Value* map = root_.find(section_name(section));
    if (!map) return {};
    TRY(expect_map(*map, section_name(section)));
    for (const Entry& entry : map->entries) {
      ComponentNode node{section, entry.key, {}, {}, entry.value, entry.position};
      TRY(split_id(node));
      if (node.config.position.line == 0) node.config.position = entry.position;
      graph_.components.push_back(std::move(node));
    }
    return {};
  }

  Result<> read_service(const Value& service) {
    for (const Entry& entry : service.entries) {
      TRY(unknown_key(entry, "service", {"pipelines", "extensions", "telemetry"}));
    }
    graph_.extensions = TRY(references(service, "extensions", "service"));
    if (const Value* telemetry = service.find("telemetry")) TRY(read_telemetry(*telemetry));
    const Value* pipelines = service.find("pipelines");
    if (pipelines) TRY(expect_map(*pipelines, "service::pipelines"));
    const bool any = pipelines && !pipelines->entries.empty();
    // Extensions alone are a valid service: a console that reads what another process writes.
    if (!any && graph_.extensions.empty()) {
      return fail_at(service.position, "service::pipelines: there is no pipeline");
    }
    if (any) {
      for (const Entry& entry : pipelines->entries) TRY(read_pipeline(entry));
    }
    return {};
  }

  Result<> read_pipeline(const Entry& entry) {
    PipelineNode pipeline;
    pipeline.id = entry.key;
    pipeline.signal = entry.key.substr(0, entry.key.find('/'));
    pipeline.position = entry.position;
    const std::string path = "service::pipelines::" + entry.key;
    if (pipeline.signal != "traces" && pipeline.signal != "metrics" && pipeline.signal != "logs") {
      const std::string_view close = nearest(pipeline.signal, {"traces", "metrics", "logs"});
      std::string message = path + ": unknown signal " + quoted(pipeline.signal);
      message +=
          close.empty() ? "; use traces, metrics or logs" : "; did you mean " + quoted(close) + "?";
      return fail_at(entry.position, message);
    }
    TRY(expect_map(entry.value, path));
    for (const Entry& key : entry.value.entries) {
      TRY(unknown_key(key, path, {"receivers", "processors", "exporters"}));
    }
    pipeline.receivers = TRY(references(entry.value, "receivers", path));
    pipeline.processors = TRY(references(entry.value, "processors", path));
    pipeline.exporters = TRY(references(entry.value, "exporters", path));
    if (pipeline.receivers.empty()) return fail_at(entry.position, path + ": has no receiver");
    if (pipeline.exporters.empty()) return fail_at(entry.position, path + ": has no exporter");
    graph_.pipelines.push_back(std::move(pipeline));
    return {};
  }

  Result<> read_telemetry(const Value& telemetry) {
    TRY(expect_map(telemetry, "service::telemetry"));
    for (const Entry& entry : telemetry.entries) {
      TRY(unknown_key(entry, "service::telemetry", {"metrics", "logs", "traces", "resource"}));
      if (entry.key == "traces" || entry.key == "resource") {
        graph_.warnings.push_back(entry.position.to_string() +
                                  ": service::telemetry::" + entry.key + " has no effect");
      }
    }
    if (const Value* logs = telemetry.find("logs")) {
      if (const Value* level = logs->find("level")) {
        graph_.log_level = level->text;
        std::ranges::transform(graph_.log_level, graph_.log_level.begin(),
                               [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
        const std::vector<std::string_view> levels = {"debug", "info", "warn", "error"};
        if (std::ranges::find(levels, graph_.log_level) == levels.end()) {
          return fail_at(level->position,
                         "service::telemetry::logs::level: use debug, info, warn or error");
        }
      }
    }
    if (const Value* metrics = telemetry.find("metrics")) TRY(read_metrics(*metrics));
    return {};
  }

  // The address stands in `address`, or in the readers that newer Collectors have.
  Result<> read_metrics(const Value& metrics) {
    const std::string_view path = "service::telemetry::metrics";
    TRY(expect_map(metrics, path));
    for (const Entry& entry : metrics.entries) {
      TRY(unknown_key(entry, path, {"address", "level", "readers", "views"}));
    }
    if (const Value* address = metrics.find("address")) graph_.telemetry_address = address->text;
    if (const Value* readers = metrics.find("readers"); readers && readers->is_list()) {
      for (const Value& reader : readers->items) {
        const Value* at = &reader;
        for (const std::string_view key : {"pull", "exporter", "prometheus"}) {
          if (at) at = at->find(key);
        }
        if (!at) {
          graph_.warnings.push_back(reader.position.to_string() + ": " + std::string(path) +
                                    "::readers: only pull::exporter::prometheus has an effect");
          continue;
        }
        const Value* host = at->find("host");
        const Value* port = at->find("port");
        graph_.telemetry_address =
            (host ? host->text : "127.0.0.1") + ":" + (port ? port->text : "8888");
      }
    }
    if (const Value* level = metrics.find("level"); level && level->text == "none") {
      graph_.telemetry_address.clear();
    }
    return {};
  }

  Result<> check(const Reference& reference, std::initializer_list<Section> sections,
                 std::string_view path) {
    std::vector<std::string_view> names;
    for (const Section section : sections) {
      if (graph_.find(section, reference.id)) return {};
      for (const ComponentNode& node : graph_.components) {
        if (node.section == section) names.push_back(node.id);
      }
    }
    std::string message = std::string(path) + ": " + quoted(reference.id) +
                          " is not configured under " +
                          std::string(section_name(*sections.begin()));
    const std::string_view close = nearest(reference.id, names);
    if (!close.empty()) message += "; did you mean " + quoted(close) + "?";
    return fail_at(reference.position, message);
  }

  Result<> check_references() {
    for (const PipelineNode& pipeline : graph_.pipelines) {
      const std::string path = "service::pipelines::" + pipeline.id;
      for (const Reference& r : pipeline.receivers) {
        TRY(check(r, {Section::Receivers, Section::Connectors}, path + "::receivers"));
      }
      for (const Reference& r : pipeline.processors) {
        TRY(check(r, {Section::Processors}, path + "::processors"));
      }
      for (const Reference& r : pipeline.exporters) {
        TRY(check(r, {Section::Exporters, Section::Connectors}, path + "::exporters"));
      }
    }
    for (const Reference& r : graph_.extensions) {
      TRY(check(r, {Section::Extensions}, "service::extensions"));
    }
    return {};
  }

  void warn_unused() {
    const auto in = [](const std::vector<Reference>& list, const std::string& id) {
      return std::ranges::any_of(list, [&](const Reference& r) { return r.id == id; });
    };
    for (const ComponentNode& node : graph_.components) {
      bool used = node.section == Section::Extensions && in(graph_.extensions, node.id);
      for (const PipelineNode& p : graph_.pipelines) {
        const bool connector = node.section == Section::Connectors;
        used |= (connector || node.section == Section::Receivers) && in(p.receivers, node.id);
        used |= node.section == Section::Processors && in(p.processors, node.id);
        used |= (connector || node.section == Section::Exporters) && in(p.exporters, node.id);
      }
      if (used) continue;
      graph_.warnings.push_back(node.position.to_string() + ": " +
                                std::string(section_name(node.section)) + "::" + node.id +
                                " is configured and used by nothing");
    }
  }

  const Value& root_;
  Graph graph_;
};

}  // namespace

std::string_view section_name(Section section) {
  switch (section) {
    case Section::Receivers:
      return "receivers";
    case Section::Processors:
      return "processors";
    case Section::Exporters:
      return "exporters";
    case Section::Connectors:
      return "connectors";
    case Section::Extensions:
      return "extensions";
  }
  return "";
}

const ComponentNode* Graph::find(Section section, std::string_view id) const {
  for (const ComponentNode& node : components) {
    if (node.section == section && node.id == id) return &node;
  }
  return nullptr;
}

Result<Graph> build_graph(const Value& root) { return Builder(root).build(); }

}  // namespace sonde::config
