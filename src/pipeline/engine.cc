// SPDX-License-Identifier: Apache-2.0
#include "pipeline/engine.h"

#include <algorithm>
#include <csignal>

#include "base/log.h"
#include "pipeline/graph/engine_impl.h"
#include "pipeline/introspection/own_telemetry.h"
#include "pipeline/introspection/telemetry_server.h"
#include "pipeline/lease.h"

namespace sonde::pipeline {

Result<std::unique_ptr<net::HttpServer>> Engine::Impl::serve_telemetry(const config::Graph& graph) {
  if (graph.telemetry_address.empty() || !shards[0]->has_thread()) return nullptr;
  Result<std::unique_ptr<net::HttpServer>> server;
  shards[0]->call([&] { server = serve_own_metrics(shards[0]->loop(), graph.telemetry_address); });
  return server;
}

OnFatal Engine::Impl::on_fatal() {
  // The build that is being tried when this is made, and no other.
  return [this, tried = trying](const std::string& key, std::string error) {
    Error fault{ErrorKind::Internal, key + ": " + std::move(error), {}};
    const std::lock_guard lock(mutex);
    if (tried != 0 && tried == trying) {
      if (!trial) trial = std::move(fault);
      return;
    }
    log_error("{}; this ends the process", fault.message);
    stop_requested = true;
    if (!fatal) fatal = std::move(fault);
    changed.notify_all();
  };
}

void Engine::Impl::on_signal(int number, std::move_only_function<void()> then) {
  if (!shards[0]->has_thread()) return;
  Result<> watched;
  shards[0]->call([&] { watched = shards[0]->loop().on_signal(number, std::move(then)); });
  if (!watched) log_warn("{}", watched.error().message);
}

void Engine::Impl::say_ready() {
  auto now_ready = std::static_pointer_cast<StatusBoard>(
      lease(kStatusBoard, typeid(StatusBoard), [] { return std::make_shared<StatusBoard>(); }));
  ready.emplace(std::move(now_ready), shards[0]->scheduler().clock().unix_ns());
}

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::~Engine() { stop(); }

Result<std::unique_ptr<Engine>> Engine::create(const config::Graph& graph,
                                               std::span<const ComponentType* const> types,
                                               EngineOptions options) {
  auto impl = std::make_unique<Impl>();
  impl->types.assign(types.begin(), types.end());
  impl->options = std::move(options);
  const int count = std::max(1, impl->options.shards);
  for (int i = 0; i < count; ++i) {
    const auto& outside = impl->options.schedulers;
    Scheduler* scheduler =
        outside.empty() ? nullptr : outside[static_cast<size_t>(i) % outside.size()];
    impl->shards.push_back(std::make_unique<Shard>(i, scheduler));
  }
  impl->build = std::make_unique<Build>(graph, impl->types, impl->shards, impl->options.door_bytes,
                                        impl->on_fatal());
  TRY(impl->build->all());
  return std::unique_ptr<Engine>(new Engine(std::move(impl)));
}

Result<> Engine::start() {
  show_memory();
  impl_->telemetry = TRY(impl_->serve_telemetry(impl_->build->graph()));
  impl_->board = std::static_pointer_cast<TopologyBoard>(lease(
      kTopologyBoard, typeid(TopologyBoard), [] { return std::make_shared<TopologyBoard>(); }));
  impl_->board->publish(topology_of(impl_->build->graph(), impl_->types));
  impl_->reloader = std::static_pointer_cast<Reloader>(
      lease(kReloader, typeid(Reloader), [] { return std::make_shared<Reloader>(); }));
  // Before anything is taken in: their default would end the process with it.
  for (const int number : {SIGINT, SIGTERM}) impl_->on_signal(number, [this] { request_stop(); });
  for (auto& shard : impl_->shards) shard->launch();
  impl_->running = true;
  if (auto started = start_instances(*impl_->build); !started) {
    stop();
    return started;
  }
  impl_->say_ready();
  return {};
}

void Engine::stop() {
  if (!impl_->running) return;
  impl_->running = false;
  impl_->retire();
  impl_->ready.reset();
  const auto all = [](const Instance&) { return true; };
  const auto none = [](const Instance&) { return false; };
  end_instances(*impl_->build, all, none, impl_->patience());
  impl_->shards[0]->call([&] { impl_->telemetry.reset(); });
  for (auto& shard : impl_->shards) shard->join();
}

Result<> Engine::run(ReloadSource source) {
  Impl& impl = *impl_;
  if (source.load) {
    impl.reloader->connect([&impl](ReloadRequest request) { impl.take(std::move(request)); });
    impl.on_signal(SIGHUP, [&impl] { impl.take({.why = "SIGHUP", .done = {}}); });
  }
  for (;;) {
    std::vector<ReloadRequest> asked;
    {
      std::unique_lock lock(impl.mutex);
      const auto something = [&] { return impl.stop_requested || !impl.requests.empty(); };
      if (source.changed) {
        impl.changed.wait_for(lock, source.interval, something);
      } else {
        impl.changed.wait(lock, something);
      }
      if (impl.stop_requested) break;
      asked = std::exchange(impl.requests, {});
    }
    if (asked.empty()) {
      if (std::string why = source.changed(); !why.empty()) {
        asked.push_back({.why = std::move(why), .done = {}});
      }
    }
    if (asked.empty()) continue;
    impl.answer(std::move(asked), source);
  }
  impl.reloader->connect({});
  std::vector<ReloadRequest> late;
  {
    const std::lock_guard lock(impl.mutex);
    late = std::exchange(impl.requests, {});
  }
  for (ReloadRequest& request : late) {
    if (request.done) request.done(fail(ErrorKind::Unavailable, "the process is ending"));
  }
  log_info("stopping");
  stop();
  const std::lock_guard lock(impl.mutex);
  if (impl.fatal) return std::unexpected(*impl.fatal);
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
  for (const auto& pipeline : impl_->build->graph().pipelines) {
    if (pipeline.id != pipeline_id) continue;
    auto sink = impl_->build->entry(pipeline, 0);
    return sink ? *sink : nullptr;
  }
  return nullptr;
}

Scheduler& Engine::scheduler(int shard) {
  return impl_->shards[static_cast<size_t>(shard)]->scheduler();
}

Component* Engine::component(std::string_view id, int shard) {
  for (auto& instance : impl_->build->instances) {
    if (instance->id == id && instance->shard->index() == shard) return instance->component.get();
  }
  return nullptr;
}

}  // namespace sonde::pipeline
