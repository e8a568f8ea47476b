// SPDX-License-Identifier: Apache-2.0
// What an Engine is made of. Private to engine.cc and reload.cc.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "net/http/http_server.h"
#include "pipeline/engine.h"
#include "pipeline/graph/build.h"
#include "pipeline/graph/lifecycle.h"
#include "pipeline/introspection/topology.h"

namespace sonde::pipeline {

struct Engine::Impl {
  std::vector<const ComponentType*> types;
  EngineOptions options;
  std::vector<std::unique_ptr<Shard>> shards;
  // Sinks of the build point at instances, and instances at sinks: both go with the build, after
  // the threads have ended.
  std::unique_ptr<Build> build;
  std::unique_ptr<Build> retiring;  // What was replaced, until it has let go of what it held.
  std::unique_ptr<net::HttpServer> telemetry;
  std::shared_ptr<TopologyBoard> board;
  std::shared_ptr<Reloader> reloader;
  std::optional<StatusBoard::Ready> ready;
  bool running = false;

  std::mutex mutex;
  std::condition_variable changed;
  bool stop_requested = false;
  std::optional<Error> fatal;  // The first one.
  // The build that is being started beside another has a number here, else it is 0: a fatal error
  // undoes that build alone.
  uint64_t trying = 0;
  uint64_t tries = 0;
  std::optional<Error> trial;
  std::vector<ReloadRequest> requests;

  OnFatal on_fatal();
  // On the first shard; nothing where it has no thread.
  void on_signal(int number, std::move_only_function<void()> then);
  // Since when the graph runs, on the status board.
  void say_ready();
  Result<std::unique_ptr<net::HttpServer>> serve_telemetry(const config::Graph& graph);
  Patience patience() const { return {options.drain_timeout, options.wait}; }

  // reload.cc.
  class Trial;
  Result<ReloadReport> replace(const config::Graph& graph);
  void retire();
  void take(ReloadRequest request);
  void answer(std::vector<ReloadRequest> asked, const ReloadSource& source);
};

}  // namespace sonde::pipeline
