// SPDX-License-Identifier: Apache-2.0
#include "pipeline/engine.h"

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <optional>
#include <thread>

#include "base/counters.h"
#include "base/log.h"
#include "net/http_server.h"
#include "pipeline/build.h"
#include "pipeline/lease.h"
#include "pipeline/own_process.h"
#include "pipeline/topology.h"

namespace sonde::pipeline {

struct Engine::Impl {
  config::Graph graph;
  std::vector<const ComponentType*> types;
  EngineOptions options;
  std::vector<std::unique_ptr<Shard>> shards;
  // Sinks of the build point at instances, and instances at sinks: both go with the build, after
  // the threads have ended.
  std::unique_ptr<Build> build;
  std::unique_ptr<net::HttpServer> telemetry;
  std::shared_ptr<TopologyBoard> board;
  std::optional<StatusBoard::Ready> ready;
  bool running = false;

  std::mutex mutex;
  std::condition_variable changed;
  bool stop_requested = false;
  std::optional<Error> fatal;  // The first one.

  void fail_for_good(const std::string& key, std::string error) {
    log_error("{}: {}; this ends the process", key, error);
    {
      const std::lock_guard lock(mutex);
      stop_requested = true;
      if (!fatal) fatal = Error{ErrorKind::Internal, key + ": " + std::move(error), {}};
    }
    changed.notify_all();
  }

  Result<> start_telemetry() {
    if (graph.telemetry_address.empty() || !shards[0]->has_thread()) return {};
    auto server = net::HttpServer::listen(
        shards[0]->loop(), graph.telemetry_address,
        [](const net::Request& request, net::Responder responder) {
          if (request.path == "/metrics") {
            refresh_process_gauges();
            responder.respond(
                {200, "text/plain; version=0.0.4; charset=utf-8", Counters::exposition(), {}});
          } else {
            responder.respond({404, "text/plain", "own metrics are at /metrics\n", {}});
          }
        });
    if (!server) {
      return std::unexpected(at("service::telemetry::metrics::address", server.error()));
    }
    telemetry = std::move(*server);
    return {};
  }

  void wait_drained(Instance& instance) {
    const Duration step = std::chrono::milliseconds(10);
    for (Duration waited{}; waited < options.drain_timeout; waited += step) {
      bool drained = false;
      instance.shard->call([&] { drained = instance.component->drained(); });
      if (drained) return;
      if (options.wait) {
        options.wait(step);
      } else {
        std::this_thread::sleep_for(step);
      }
    }
    log_warn("{} still holds data after {}; giving up", instance.id,
             config::format_duration(options.drain_timeout));
  }

  void stop_instances() {
    auto& all = build->instances;
    for (auto at = all.rbegin(); at != all.rend(); ++at) {
      Instance& instance = **at;
      if (!instance.started) continue;
      instance.shard->call([&] {
        instance.host->report_status({.kind = StatusKind::Stopping});
        instance.component->stop();
      });
      wait_drained(instance);
      instance.shard->call([&] { instance.host->report_status({.kind = StatusKind::Stopped}); });
      instance.started = false;
    }
  }

  // Components go on their own shards, while the loops still run: they may hold clients of them.
  void destroy_instances() {
    auto& all = build->instances;
    for (auto at = all.rbegin(); at != all.rend(); ++at) {
      (*at)->shard->call([&] { (*at)->component.reset(); });
    }
  }
};

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::~Engine() { stop(); }

Result<std::unique_ptr<Engine>> Engine::create(const config::Graph& graph,
                                               std::span<const ComponentType* const> types,
                                               EngineOptions options) {
  auto impl = std::make_unique<Impl>();
  impl->graph = graph;
  impl->types.assign(types.begin(), types.end());
  impl->options = std::move(options);
  const int count = std::max(1, impl->options.shards);
  for (int i = 0; i < count; ++i) {
    const auto& outside = impl->options.schedulers;
    Scheduler* scheduler =
        outside.empty() ? nullptr : outside[static_cast<size_t>(i) % outside.size()];
    impl->shards.push_back(std::make_unique<Shard>(i, scheduler));
  }
  impl->build =
      std::make_unique<Build>(impl->graph, impl->types, impl->shards, impl->options.door_bytes,
                              [at = impl.get()](const std::string& key, std::string error) {
                                at->fail_for_good(key, std::move(error));
                              });
  TRY(impl->build->all());
  return std::unique_ptr<Engine>(new Engine(std::move(impl)));
}

namespace {

Result<> start_instance(Instance& instance) {
  Host& host = *instance.host;
  host.report_status({.kind = StatusKind::Starting});
  auto result = instance.component->start(host);
  if (!result) {
    host.report_status(Status::permanent(result.error()));
  } else if (instance.status->kind() == StatusKind::Starting) {
    host.report_status(Status::ok());
  }
  return result;
}

}  // namespace

Result<> Engine::start() {
  TRY(impl_->start_telemetry());
  impl_->board = std::static_pointer_cast<TopologyBoard>(lease(
      kTopologyBoard, typeid(TopologyBoard), [] { return std::make_shared<TopologyBoard>(); }));
  impl_->board->publish(topology_of(impl_->graph));
  for (auto& shard : impl_->shards) shard->launch();
  impl_->running = true;
  for (auto& instance : impl_->build->instances) {
    Result<> result;
    instance->shard->call([&] { result = start_instance(*instance); });
    if (!result) {
      Error error =
          at(std::string(kind_name(instance->type->kind)) + "s::" + instance->id, result.error());
      stop();
      return std::unexpected(std::move(error));
    }
    instance->started = true;
  }
  impl_->ready.emplace(
      std::static_pointer_cast<StatusBoard>(
          lease(kStatusBoard, typeid(StatusBoard), [] { return std::make_shared<StatusBoard>(); })),
      impl_->shards[0]->scheduler().clock().unix_ns());
  return {};
}

void Engine::stop() {
  if (!impl_->running) return;
  impl_->running = false;
  impl_->ready.reset();
  impl_->stop_instances();
  impl_->destroy_instances();
  impl_->shards[0]->call([&] { impl_->telemetry.reset(); });
  for (auto& shard : impl_->shards) shard->join();
}

Result<> Engine::run() {
  if (impl_->shards[0]->has_thread()) {
    impl_->shards[0]->call([&] {
      for (const int number : {SIGINT, SIGTERM}) {
        auto watched = impl_->shards[0]->loop().on_signal(number, [this] { request_stop(); });
        if (!watched) log_warn("{}", watched.error().message);
      }
    });
  }
  {
    std::unique_lock lock(impl_->mutex);
    impl_->changed.wait(lock, [&] { return impl_->stop_requested; });
  }
  log_info("stopping");
  stop();
  const std::lock_guard lock(impl_->mutex);
  if (impl_->fatal) return std::unexpected(*impl_->fatal);
  return {};
}

void Engine::request_stop() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stop_requested = true;
  }
  impl_->changed.notify_all();
}

uint16_t Engine::telemetry_port() const { return impl_->telemetry ? impl_->telemetry->port() : 0; }

Sink* Engine::input(std::string_view pipeline_id) {
  for (const auto& pipeline : impl_->graph.pipelines) {
    if (pipeline.id != pipeline_id) continue;
    auto sink = impl_->build->entry(pipeline, 0);
    return sink ? *sink : nullptr;
  }
  return nullptr;
}

Component* Engine::component(std::string_view id, int shard) {
  for (auto& instance : impl_->build->instances) {
    if (instance->id == id && instance->shard->index() == shard) return instance->component.get();
  }
  return nullptr;
}

}  // namespace sonde::pipeline
