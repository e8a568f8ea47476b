// SPDX-License-Identifier: Apache-2.0
#include "config/graph.h"

#include <algorithm>

#include "config/ids.h"
#include "config/problems.h"
#include "config/telemetry.h"

namespace sonde::config {
namespace {

constexpr Section kSections[] = {Section::Receivers, Section::Processors, Section::Exporters,
                                 Section::Connectors, Section::Extensions};

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

void check_keys(const Value& map, std::string_view path, const std::vector<std::string_view>& known,
                Problems& problems) {
  for (const Entry& entry : map.entries) {
    if (std::ranges::find(known, entry.key) != known.end()) continue;
    const std::string prefix = path.empty() ? std::string() : std::string(path) + ": ";
    problems.add(entry.position,
                 prefix + "unknown key " + quoted(entry.key) + suggestion(entry.key, known));
  }
}

// A section that is null is one that is not there.
bool expect_map(const Value& value, std::string_view path, Problems& problems) {
  if (value.is_map() || value.is_null()) return true;
  problems.add(value.position,
               std::string(path) + ": expected a map, got " + std::string(type_name(value.type)));
  return false;
}

class Builder {
 public:
  Builder(const Value& root, const GraphOptions& options, Graph& out)
      : root_(root), options_(options), graph_(out) {}

  Result<> build() {
    if (!root_.is_map() || root_.entries.empty()) {
      return fail_at(root_.position,
                     "the configuration is empty; it needs receivers, exporters "
                     "and service::pipelines");
    }
    check_keys(root_, "",
               {"receivers", "processors", "exporters", "connectors", "extensions", "service"},
               problems_);
    for (const Section section : kSections) components(section);
    // What is misspelt up to here would be missed below: those errors would only be echoes.
    const bool sections_read = problems_.empty();
    if (sections_read) check_sections();
    const Value* service = root_.find("service");
    if (!service || service->is_null()) {
      if (!options_.allow_no_pipelines) {
        problems_.add(service ? service->position : root_.position,
                      "\"service\" is missing; it lists the pipelines", Show::Nothing);
      }
    } else if (expect_map(*service, "service", problems_)) {
      read_service(*service);
    }
    if (sections_read) check_references();
    TRY(problems_.result());
    warn_unused();
    return {};
  }

 private:
  void components(Section section) {
    const Value* map = root_.find(section_name(section));
    const std::string path(section_name(section));
    if (!map || !expect_map(*map, path, problems_)) return;
    for (const Entry& entry : map->entries) {
      auto id = parse_component_id(entry.key);
      if (!id) {
        problems_.add(entry.position, path + ": " + id.error().message);
        continue;
      }
      ComponentNode node{section, id->to_string(), id->type, id->name, entry.value, entry.position};
      if (graph_.find(section, node.id)) {
        problems_.add(entry.position, path + ": " + quoted(node.id) + " is written twice");
        continue;
      }
      if (node.config.position.line == 0) node.config.position = entry.position;
      graph_.components.push_back(std::move(node));
    }
  }

  bool any(Section section) const {
    return std::ranges::any_of(graph_.components,
                               [&](const ComponentNode& n) { return n.section == section; });
  }

  void check_sections() {
    if (!options_.allow_no_pipelines) {
      for (const Section section : {Section::Receivers, Section::Exporters}) {
        if (any(section)) continue;
        problems_.add(
            root_.position,
            std::string(section_name(section)) + ": there is none, and at least one is needed",
            Show::Nothing);
      }
    }
    for (const ComponentNode& node : graph_.components) {
      if (node.section != Section::Connectors) continue;
      for (const Section other : {Section::Receivers, Section::Exporters}) {
        if (!graph_.find(other, node.id)) continue;
        problems_.add(node.position, "connectors::" + node.id + ": " +
                                         std::string(section_name(other)) +
                                         " has the same id; rename one, for example to " +
                                         quoted(node.id + "/connector"));
      }
    }
  }

  // What is named twice counts once, but for processors.
  std::vector<Reference> references(const Value& parent, std::string_view key,
                                    std::string_view path) {
    std::vector<Reference> result;
    const Value* list = parent.find(key);
    if (!list || list->is_null()) return result;
    const std::string where = std::string(path) + "::" + std::string(key);
    if (!list->is_list()) {
      problems_.add(list->position, where + ": expected a list of component ids, got " +
                                        std::string(type_name(list->type)));
      return result;
    }
    for (const Value& item : list->items) {
      if (item.type != Value::Type::String && !item.expanded) {
        problems_.add(item.position, where + ": expected a component id, got " +
                                         std::string(type_name(item.type)));
        continue;
      }
      auto id = parse_component_id(item.text);
      if (!id) {
        problems_.add(item.position, where + ": " + id.error().message);
        continue;
      }
      const std::string text = id->to_string();
      const auto same = [&](const Reference& r) { return r.id == text; };
      if (std::ranges::none_of(result, same)) {
        result.push_back({text, item.position});
      } else if (key == "processors") {
        problems_.add(item.position, where + ": " + quoted(text) + " is listed twice");
      }
    }
    return result;
  }

  void read_service(const Value& service) {
    check_keys(service, "service", {"pipelines", "extensions", "telemetry"}, problems_);
    graph_.extensions = references(service, "extensions", "service");
    if (const Value* telemetry = service.find("telemetry")) {
      read_telemetry(*telemetry, graph_, problems_);
    }
    const Value* pipelines = service.find("pipelines");
    if (pipelines && !expect_map(*pipelines, "service::pipelines", problems_)) return;
    if (!pipelines || pipelines->entries.empty()) {
      if (!options_.allow_no_pipelines) {
        problems_.add(pipelines ? pipelines->position : service.position,
                      "service::pipelines: there is no pipeline, and at least one is needed",
                      Show::Nothing);
      }
      return;
    }
    for (const Entry& entry : pipelines->entries) read_pipeline(entry);
  }

  void read_pipeline(const Entry& entry) {
    const std::string path = "service::pipelines::" + entry.key;
    const auto id = parse_pipeline_id(entry.key);
    if (!id) {
      problems_.add(entry.position, path + ": " + id.error().message);
      return;
    }
    if (id->type == "profiles" && !options_.profiles) {
      problems_.add(entry.position, path + ": pipelines of profiles need the feature gate " +
                                        "service.profilesSupport");
      return;
    }
    PipelineNode pipeline{id->to_string(), id->type, {}, {}, {}, entry.position};
    const auto same = [&](const PipelineNode& p) { return p.id == pipeline.id; };
    if (std::ranges::any_of(graph_.pipelines, same)) {
      problems_.add(entry.position, path + ": " + quoted(pipeline.id) + " is written twice");
      return;
    }
    if (!expect_map(entry.value, path, problems_)) return;
    check_keys(entry.value, path, {"receivers", "processors", "exporters"}, problems_);
    pipeline.receivers = references(entry.value, "receivers", path);
    pipeline.processors = references(entry.value, "processors", path);
    pipeline.exporters = references(entry.value, "exporters", path);
    for (const std::string_view key : {"receivers", "exporters"}) {
      const Value* list = entry.value.find(key);
      if (list && !list->is_null() && !(list->is_list() && list->items.empty())) continue;
      problems_.add(entry.position, path + ": has no " +
                                        std::string(key.substr(0, key.size() - 1)) +
                                        "; at least one is needed");
    }
    graph_.pipelines.push_back(std::move(pipeline));
  }

  void check(const Reference& reference, std::initializer_list<Section> sections,
             std::string_view path) {
    std::vector<std::string_view> names;
    for (const Section section : sections) {
      if (graph_.find(section, reference.id)) return;
      for (const ComponentNode& node : graph_.components) {
        if (node.section == section) names.push_back(node.id);
      }
    }
    problems_.add(reference.position, std::string(path) + ": " + quoted(reference.id) +
                                          " is not configured under " +
                                          std::string(section_name(*sections.begin())) +
                                          suggestion(reference.id, names));
  }

  void check_references() {
    for (const PipelineNode& pipeline : graph_.pipelines) {
      const std::string path = "service::pipelines::" + pipeline.id;
      for (const Reference& r : pipeline.receivers) {
        check(r, {Section::Receivers, Section::Connectors}, path + "::receivers");
      }
      for (const Reference& r : pipeline.processors) {
        check(r, {Section::Processors}, path + "::processors");
      }
      for (const Reference& r : pipeline.exporters) {
        check(r, {Section::Exporters, Section::Connectors}, path + "::exporters");
      }
    }
    for (const Reference& r : graph_.extensions) {
      check(r, {Section::Extensions}, "service::extensions");
    }
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
  const GraphOptions& options_;
  Problems problems_;
  Graph& graph_;
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

Result<Graph> build_graph(const Value& root, const GraphOptions& options) {
  Graph graph;
  TRY(build_graph(root, options, graph));
  return graph;
}

Result<> build_graph(const Value& root, const GraphOptions& options, Graph& out) {
  return Builder(root, options, out).build();
}

}  // namespace sonde::config
