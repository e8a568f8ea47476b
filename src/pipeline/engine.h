// SPDX-License-Identifier: Apache-2.0
//
// Runs a Graph. create() matches it with the component list, checks it whole and builds every
// instance, taking nothing; start() starts what data flows to before what it flows from; stop()
// ends them in the order of the data and waits, within a bound, until each has let go of what it
// held.
//
// Placement: a pinned component has one instance, on shard 0; a replicated one has one per shard
// and handles data where it is; a partitioned one has one per shard and gets each record where its
// key says. Processors have an instance per pipeline; the others are shared by the pipelines that
// name them. A sink that lives on another shard stands behind a ShardDoor.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/scheduler.h"
#include "config/graph.h"
#include "pipeline/component.h"
#include "pipeline/reloader.h"

namespace sonde::pipeline {

struct EngineOptions {
  int shards = 1;
  Duration drain_timeout = std::chrono::seconds(10);
  size_t door_bytes = 64 * 1024 * 1024;  // Of each queue between two shards.
  // For tests: schedulers of the shards, in place of threads, and what to do in place of waiting.
  std::vector<Scheduler*> schedulers = {};
  std::function<void(Duration)> wait = {};
};

// Reads the configuration anew, on the thread that run() was called on.
using LoadGraph = std::function<Result<config::Graph>()>;

struct ReloadSource {
  LoadGraph load = {};
  // What was loaded last runs now. May be empty.
  std::function<void()> applied = {};
  // Asked on the same thread each `interval`: why the configuration shall be read again, or an
  // empty string. May be empty.
  std::function<std::string()> changed = {};
  Duration interval = std::chrono::milliseconds(500);
};

class Engine {
 public:
  static Result<std::unique_ptr<Engine>> create(const config::Graph& graph,
                                                std::span<const ComponentType* const> types,
                                                EngineOptions options = {});
  ~Engine();

  // From here on SIGINT and SIGTERM ask run() to end, also when they come before it begins.
  Result<> start();
  void stop();
  // start() must have succeeded. Returns after SIGINT, SIGTERM or request_stop(), stopped; or with
  // the fatal error that a component reported. With `source.load`, SIGHUP and the Reloader have the
  // configuration read again; one that is refused changes nothing.
  Result<> run(ReloadSource source = {});
  void request_stop();  // Thread safe.
  // Runs this graph in place of the one that runs: see reload.cc. Components whose settings,
  // outputs and extensions are the same go on. After an error the graph that ran runs on,
  // untouched. Returns when what is no more has ended. start() must have succeeded; not while run()
  // runs.
  Result<ReloadReport> reload(const config::Graph& graph);

  // The port of own telemetry; 0 when it is off.
  uint16_t telemetry_port() const;

  // A sink that feeds the pipelines a receiver of this id feeds: for tests and the scenario runner,
  // whose receiver it stands in for.
  Sink* input(std::string_view pipeline_id);
  // For tests, to give a component data where it runs.
  Scheduler& scheduler(int shard);
  // A built instance, for tests.
  Component* component(std::string_view id, int shard = 0);

 private:
  struct Impl;
  explicit Engine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sonde::pipeline
