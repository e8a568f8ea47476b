// SPDX-License-Identifier: Apache-2.0
#include "app/configuration.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/feature_gates.h"
#include "app/http_provider.h"
#include "components/all.h"
#include "config/field.h"
#include "config/problems.h"
#include "config/resolve.h"
#include "config/telemetry.h"
#include "config/yaml.h"
#include "pipeline/check.h"

namespace sonde::app {
namespace {

// A spelling that is still taken, and will be for long, is worth a line in the log.
void warn_of_old_names(config::Graph& graph) {
  for (const config::ComponentNode& node : graph.components) {
    const auto type = pipeline::find_type(all_components(), node);
    if (!type || (*type)->name == node.type) continue;
    graph.warnings.push_back(
        fmt::format("{}: {}::{}: \"{}\" is an older name of \"{}\"", node.position.to_string(),
                    config::section_name(node.section), node.id, node.type, (*type)->name));
  }
}

Result<Configuration> finish(config::Resolution resolution) {
  const FeatureGates& gates = feature_gates();
  Configuration out{std::move(resolution.root), {}};
  config::Problems problems;
  const config::GraphOptions options{
      .allow_no_pipelines = gates.enabled("service.AllowNoPipelines"),
      .profiles = gates.enabled("service.profilesSupport")};
  // Settings are judged all the same, but pipelines that are wrong only give echoes.
  if (!problems.ok(config::build_graph(out.root, options, out.graph))) out.graph.pipelines.clear();
  problems.ok(pipeline::check_graph(out.graph, all_components()));
  TRY(problems.result());
  auto& warnings = out.graph.warnings;
  warnings.insert(warnings.begin(), resolution.warnings.begin(), resolution.warnings.end());
  warn_of_old_names(out.graph);
  return out;
}

}  // namespace

Result<Configuration> load_configuration(const ConfigOptions& options,
                                         const config::Providers& providers) {
  for (const std::string& list : options.gates) TRY(feature_gates().apply(list));
  std::vector<std::string> uris = options.configs;
  if (uris.empty()) return fail(ErrorKind::Invalid, "give at least one --config");
  for (const std::string& set : options.sets) uris.push_back(TRY(config::set_to_uri(set)));
  return finish(TRY(
      config::resolve(uris, providers,
                      {.join_lists = feature_gates().enabled("confmap.enableMergeAppendOption")})));
}

Result<Configuration> load_configuration(const ConfigOptions& options) {
  FileStamps files;
  return load_configuration(options, files);
}

Result<Configuration> load_configuration(const ConfigOptions& options, FileStamps& files) {
  config::Providers providers = config::local_providers();
  providers.emplace("http", http_provider("http"));
  providers.emplace("https", http_provider("https"));
  note_files(providers, files);
  return load_configuration(options, providers);
}

Result<Configuration> load_text(std::string_view text, std::string_view name) {
  config::Resolution resolution;
  resolution.root = TRY(config::parse_yaml(text, name));
  return finish(std::move(resolution));
}

Result<config::Value> effective_configuration(const Configuration& configuration, bool unredacted) {
  config::Value out = configuration.root;
  config::Problems problems;
  for (const config::ComponentNode& node : configuration.graph.components) {
    const auto* type = TRY(pipeline::find_type(all_components(), node));
    if (!type->fields) continue;
    const std::string section(config::section_name(node.section));
    auto settings =
        config::effective(node.config, *type->fields, section + "::" + node.id, unredacted);
    if (!problems.ok(settings)) continue;
    // Ids are printed without the white space that they may have been written with.
    config::Value* map = out.find(section);
    const auto entry = std::ranges::find_if(map->entries, [&](const config::Entry& e) {
      return e.position.line == node.position.line && e.position.column == node.position.column &&
             e.position.source == node.position.source &&
             e.key.find(node.type) != std::string::npos &&
             e.key.find(node.name) != std::string::npos;
    });
    if (entry == map->entries.end()) continue;
    entry->key = node.id;
    entry->value = std::move(*settings);
  }
  TRY(problems.result());
  config::Value* service = unredacted ? nullptr : out.find("service");
  if (config::Value* telemetry = service ? service->find("telemetry") : nullptr) {
    config::mask_telemetry(*telemetry);
  }
  return out;
}

}  // namespace sonde::app
