// SPDX-License-Identifier: Apache-2.0
// The commands. CLI11 throws on a bad command line; that is caught where it is called.
#include "app/app.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "app/configuration.h"
#include "app/feature_gates.h"
#include "app/memory_limit.h"
#include "app/reference.h"
#include "app/schema.h"
#include "app/serve.h"
#include "app/unknown_word.h"
#include "app/up.h"
#include "base/memory_ledger.h"
#include "base/system_memory.h"
#include "components/all.h"
#include "config/graph.h"
#include "config/print.h"
#include "pipeline/engine.h"
#include "pipeline/introspection/own_telemetry.h"
#include "probe/doctor.h"

namespace sonde::app {
namespace {

int print(const Configuration& configuration, bool unredacted, bool json) {
  auto value = effective_configuration(configuration, unredacted);
  if (!value) return complain(value.error(), kMistake);
  fmt::print("{}", json ? config::to_json(*value) : config::to_yaml(*value));
  return 0;
}

Result<> limit_memory(std::string_view said) {
  const char* const go = std::getenv("GOMEMLIMIT");
  const auto total = total_memory();
  if (!total && said.empty()) return {};  // Nothing to take a share of.
  const uint64_t limit = TRY(memory_limit(said, total.value_or(0), go ? go : ""));
  MemoryLedger::process().set_limit(limit);
  return {};
}

int list_components(const std::vector<std::string>& names, bool schema, bool reference) {
  if (schema) {
    fmt::print("{}\n", components_schema(all_components()));
    return 0;
  }
  if (reference) {
    fmt::print("{}", components_reference(all_components()));
    return 0;
  }
  for (const std::string& name : names) {
    auto text = component_reference(all_components(), name);
    if (!text) return complain(text.error(), kMistake);
    fmt::print("{}{}", &name == &names.front() ? "" : "\n", *text);
  }
  if (!names.empty()) return 0;
  for (const auto* t : all_components()) {
    fmt::print("{:<10} {:<22} {:<8} {}\n", pipeline::kind_name(t->kind), t->name, t->stability,
               t->summary);
  }
  return 0;
}

// The arguments that a unit or container gives to a Collector are flags alone, and run it.
bool is_flag_of_run(const std::vector<std::string>& arguments) {
  if (arguments.empty() || !arguments.front().starts_with('-')) return false;
  static constexpr std::string_view kOfNoCommand[] = {"-h", "--help", "-v", "--version"};
  return std::ranges::find(kOfNoCommand, arguments.front()) == std::end(kOfNoCommand);
}

}  // namespace

int run(std::vector<std::string> arguments) {
  CLI::App cli{"Sonde: full observability of a host with one command.", "sonde"};
  cli.set_version_flag("--version,-v", SONDE_VERSION);
  cli.require_subcommand(1);

  UpOptions up;
  ConfigOptions options;
  int shards = 1;
  bool schema = false, reference = false, watch = false;
  std::vector<std::string> names;
  std::string which, mode = "redacted", format = "yaml", gate, memory;

  auto up_flags = [&](CLI::App* command) {
    command
        ->add_option("--include", up.include,
                     "Watch only what matches KEY=GLOB; KEY is exe, port, name, container or unit")
        ->allow_extra_args(false);
    command->add_option("--exclude", up.exclude, "Never watch what matches KEY=GLOB")
        ->allow_extra_args(false);
    command->add_option("--sample-rate", up.sample_rate,
                        "Share of traces sent to the OTLP endpoint, 0 to 1");
    command->add_option("--otlp-endpoint", up.otlp_endpoint,
                        "Also send traces and metrics there: HOST:4317 or http://HOST:4318");
    command->add_option("--port", up.port, "Port of the page; metrics are served on the next one");
  };
  auto* up_command = cli.add_subcommand("up", "Watch every service of this host and show it");
  up_flags(up_command);
  auto config_flags = [&](CLI::App* command, bool required) {
    command
        ->add_option("--config,-c", options.configs,
                     "A file, or yaml:, env:, file: or http: and what it says; later ones are laid "
                     "over earlier ones")
        ->allow_extra_args(false)
        ->required(required);
    command
        ->add_option("--set", options.sets,
                     "One setting over all files, such as processors.batch.timeout=2s")
        ->allow_extra_args(false);
    command
        ->add_option("--feature-gates", options.gates,
                     "Switches to turn on and off, such as +one,-two")
        ->allow_extra_args(false);
  };
  auto* run_command = cli.add_subcommand("run", "Run a configuration");
  config_flags(run_command, true);
  run_command->add_flag(
      "--watch", watch,
      "Read the configuration again when one of its files changes, as SIGHUP does");
  const auto memory_flag = [&](CLI::App* command) {
    command->add_option("--memory-limit", memory,
                        "The most memory of the process, such as 512MiB or 70%; 80% by default");
  };
  memory_flag(up_command);
  memory_flag(run_command);
  run_command->add_option("--shards", shards, "Event loops")->check(CLI::Range(1, 256));
  auto* validate_command = cli.add_subcommand("validate", "Check a configuration");
  config_flags(validate_command, true);
  auto* components_command = cli.add_subcommand(
      "components", "List what a configuration may name, or describe what is named");
  components_command->add_option("name", names, "Components to describe, with every setting");
  components_command->add_flag("--schema", schema, "All as JSON Schema, with every setting");
  components_command->add_flag("--reference", reference, "All as Markdown, with every setting");
  auto* print_command = cli.add_subcommand(
      "print-config", "Print a configuration with every default, or the built-in one of `up`");
  print_command->add_option("which", which, "A built-in one")->check(CLI::IsMember({"up"}));
  print_command->add_option("--mode", mode, "Whether secrets are shown")
      ->check(CLI::IsMember({"redacted", "unredacted"}, CLI::ignore_case));
  print_command->add_option("--format", format, "yaml or json")
      ->check(CLI::IsMember({"yaml", "json"}, CLI::ignore_case));
  up_flags(print_command);
  config_flags(print_command, false);
  auto* gate_command = cli.add_subcommand("featuregate", "List the feature gates, or describe one");
  gate_command->add_option("id", gate, "Which one");
  print_command->alias("print-initial-config");  // As the Collector still calls it.
  auto* doctor_command = cli.add_subcommand("doctor", "Say what this machine allows");

  std::vector<Command> commands;
  for (CLI::App* c : cli.get_subcommands([](CLI::App*) { return true; })) {
    commands.push_back({.name = c->get_name(), .flags = {}});
    for (const CLI::Option* o : c->get_options()) {
      for (const std::string& name : o->get_lnames()) commands.back().flags.push_back("--" + name);
    }
    for (const std::string& alias : c->get_aliases()) {
      commands.push_back({.name = alias, .flags = commands.back().flags});
    }
  }
  if (is_flag_of_run(arguments)) arguments.insert(arguments.begin(), "run");
  if (const std::string unknown = unknown_word(arguments, commands); !unknown.empty()) {
    fmt::print(stderr, "sonde: {}\n", unknown);
    return kMistake;
  }
  try {
    std::reverse(arguments.begin(), arguments.end());  // As CLI11 wants them.
    cli.parse(std::move(arguments));
  } catch (const CLI::ParseError& e) {
    return cli.exit(e) == 0 ? 0 : kMistake;
  }

  if (*components_command) return list_components(names, schema, reference);
  if (*doctor_command) {
    probe::Diagnosis diagnosis = probe::diagnose();
    fmt::print("{}", probe::to_text(diagnosis));
    return diagnosis.able ? 0 : kFailed;
  }
  if (*gate_command) {
    auto text = describe_gates(feature_gates(), gate);
    if (!text) return complain(text.error(), kMistake);
    fmt::print("{}", *text);
    return 0;
  }
  if (*up_command || *run_command) {
    if (auto limited = limit_memory(memory); !limited) return complain(limited.error(), kMistake);
  }
  // `print-config up` is the text to start an own file from: with comments, without defaults.
  if (*up_command || (*print_command && (which == "up" || options.configs.empty()))) {
    auto text = up_config(up);
    if (!text) return complain(text.error(), kMistake);
    if (*print_command) {
      fmt::print("{}", *text);
      return 0;
    }
    return serve([&](FileStamps&) { return load_text(*text, "up.yaml"); }, {});
  }
  if (*run_command) {
    return serve([&](FileStamps& files) { return load_configuration(options, files); },
                 {.shards = shards, .watch = watch});
  }
  auto configuration = load_configuration(options);
  if (!configuration) return complain(configuration.error(), kMistake);
  if (*print_command) return print(*configuration, mode == "unredacted", format == "json");
  if (*validate_command) {
    pipeline::apply_log_level(configuration->graph.log_level);
    announce(configuration->graph);
    auto engine = pipeline::Engine::create(configuration->graph, all_components(), {});
    if (!engine) return complain(engine.error(), kMistake);
    fmt::print("{} is valid.\n", fmt::join(options.configs, " with "));
  }
  return 0;
}

}  // namespace sonde::app
