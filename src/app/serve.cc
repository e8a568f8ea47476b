// SPDX-License-Identifier: Apache-2.0
#include "app/serve.h"

#include <fmt/format.h>

#include <csignal>
#include <cstdio>

#include "app/facts.h"
#include "base/log.h"
#include "components/all.h"
#include "pipeline/engine.h"
#include "pipeline/introspection/own_telemetry.h"

namespace sonde::app {
int complain(const Error& error, int status) {
  fmt::print(stderr, "sonde: {}\n", error.message);
  return status;
}

void announce(const config::Graph& graph) {
  for (const std::string& warning : graph.warnings) log_warn("{}", warning);
}

int serve(const Load& load, const ServeOptions& options) {
  // Its default would end the process, also when it comes before the engine listens for it.
  std::signal(SIGHUP, SIG_IGN);
  FileStamps files;
  auto configuration = load(files);
  if (!configuration) return complain(configuration.error(), kMistake);
  const auto facts = publish_facts(*configuration);
  pipeline::apply_log_level(configuration->graph.log_level);
  announce(configuration->graph);
  auto engine =
      pipeline::Engine::create(configuration->graph, all_components(), {.shards = options.shards});
  if (!engine) return complain(engine.error(), kMistake);
  if (auto started = (*engine)->start(); !started) {
    (*engine)->stop();
    complain(started.error(), kFailed);
    if (started.error().kind == ErrorKind::Denied) {
      fmt::print(stderr, "`sonde doctor` says what this machine allows.\n");
    }
    return kFailed;
  }
  log_info("ready");
  FileChanges changes;
  if (options.watch) changes.expect(std::move(files));
  pipeline::ReloadSource source;
  if (options.watch) {
    source.changed = [&] {
      const std::string path = changes.look();
      return path.empty() ? path : path + " has changed";
    };
  }
  source.load = [&]() -> Result<config::Graph> {
    FileStamps read;
    auto again = load(read);
    // Also of what could not be read: it is likely to be mended.
    if (options.watch) changes.expect(std::move(read));
    if (!again) return std::unexpected(std::move(again.error()));
    announce(again->graph);
    *configuration = std::move(*again);
    return configuration->graph;
  };
  source.applied = [&] { publish_facts(*configuration); };
  const auto ended = (*engine)->run(std::move(source));
  if (!ended) return complain(ended.error(), kFailed);
  return 0;
}

}  // namespace sonde::app
