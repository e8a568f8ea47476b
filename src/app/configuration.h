// SPDX-License-Identifier: Apache-2.0
// What --config, --set and --feature-gates say, read and checked: the way in for `run`, `validate`
// and `print-config`. The environment, files and HTTP are read here and nowhere below.
#pragma once

#include <string>
#include <vector>

#include "app/file_watch.h"
#include "base/result.h"
#include "config/graph.h"
#include "config/providers.h"
#include "config/value.h"

namespace sonde::app {

struct ConfigOptions {
  std::vector<std::string> configs;  // Paths or scheme:rest, in order.
  std::vector<std::string> sets;     // "processors.batch.timeout=2s", after them.
  std::vector<std::string> gates;    // "+service.AllowNoPipelines,-other"
};

struct Configuration {
  config::Value root;   // Merged and expanded.
  config::Graph graph;  // With the warnings of both.
};

// Errors name every mistake that was found. Feature gates hold for the process from then on.
Result<Configuration> load_configuration(const ConfigOptions& options);
// Notes the files that were asked for, as they were before they were read.
Result<Configuration> load_configuration(const ConfigOptions& options, FileStamps& files);
Result<Configuration> load_configuration(const ConfigOptions& options,
                                         const config::Providers& providers);
// Of a text that is built in.
Result<Configuration> load_text(std::string_view text, std::string_view name);

// The configuration with the default of every setting, as the components understand it.
Result<config::Value> effective_configuration(const Configuration& configuration, bool unredacted);

}  // namespace sonde::app
