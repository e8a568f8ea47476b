// SPDX-License-Identifier: Apache-2.0
//
// The new configuration is built and started beside the one that runs. When all of it has started,
// each shard turns its data to it in one step; only then is stopped what is not part of it any
// more. An error before that step undoes what is new, and nothing else has happened.
#include <algorithm>

#include "base/counters.h"
#include "base/log.h"
#include "pipeline/graph/engine_impl.h"
#include "pipeline/introspection/own_telemetry.h"

namespace sonde::pipeline {
namespace {

constexpr size_t kMaxRequests = 64;

Counter& reloads(std::string_view result) {
  return counter("sonde_reloads_total", "Times the configuration was read again, by result.",
                 {{"result", std::string(result)}});
}

bool no_time(const Instance&) { return false; }

// Says where the component is written that did not start.
Error with_place(const Build& build, Error error) {
  for (const auto& instance : build.instances) {
    const std::string place = instance->position.to_string();
    if (!build.carried(*instance) && instance->error.message == error.message && !place.empty()) {
      return at(place, std::move(error));
    }
  }
  return error;
}

}  // namespace

// While it lives, a fatal error of a component that is being tried is no end of the process: at its
// start, and at its end where it is refused.
class Engine::Impl::Trial {
 public:
  explicit Trial(Impl& impl) : impl_(impl) {
    const std::lock_guard lock(impl_.mutex);
    impl_.trying = ++impl_.tries;
  }
  ~Trial() {
    const std::lock_guard lock(impl_.mutex);
    impl_.trying = 0;
    impl_.trial.reset();
  }
  // The first fatal error of it. Where there was none, the trial is over: another is one of what
  // runs.
  std::optional<Error> fault_or_end() const {
    const std::lock_guard lock(impl_.mutex);
    if (!impl_.trial) impl_.trying = 0;
    return impl_.trial;
  }

 private:
  Impl& impl_;
};

Result<ReloadReport> Engine::Impl::replace(const config::Graph& graph) {
  retire();
  const Trial trying_now(*this);
  auto next =
      std::make_unique<Build>(graph, types, shards, options.door_bytes, on_fatal(), build.get());
  // By itself, as if nothing ran: what goes on would judge its outputs by the graph of before.
  TRY(Build(graph, types, shards, options.door_bytes, on_fatal()).all());
  TRY(next->all());
  const bool moved = graph.telemetry_address != build->graph().telemetry_address;
  std::unique_ptr<net::HttpServer> server;
  if (moved) server = TRY(serve_telemetry(graph));
  const auto is_new = [&](const Instance& instance) { return !next->carried(instance); };
  auto started = start_instances(*next);
  if (started) {
    if (auto fault = trying_now.fault_or_end()) started = std::unexpected(std::move(*fault));
  }
  if (!started) {
    end_instances(*next, is_new, no_time, patience());
    if (server) shards[0]->call([&] { server.reset(); });
    return std::unexpected(with_place(*next, std::move(started.error())));
  }
  for (const auto& shard : shards) shard->call([&] { next->settle(*shard); });
  if (moved) {
    shards[0]->call([&] { telemetry = std::move(server); });
  }
  board->publish(topology_of(graph, types));
  apply_log_level(graph.log_level);

  ReloadReport report;
  for (const auto& instance : next->instances) {
    ++(next->carried(*instance) ? report.kept : report.started);
  }
  report.stopped = build->instances.size() - report.kept;
  retiring = std::exchange(build, std::move(next));
  return report;
}

void Engine::Impl::retire() {
  if (!retiring) return;
  const auto goes = [&](const Instance& instance) { return !build->carried(instance); };
  // What no successor took over gets the time to be sent.
  const auto has_time = [](const Instance& instance) {
    return instance.type->kind == Kind::Exporter;
  };
  end_instances(*retiring, goes, has_time, patience());
  for (const auto& instance : build->instances) instance->replaces = nullptr;
  retiring.reset();
  build->forget_running();
}

void Engine::Impl::take(ReloadRequest request) {
  {
    const std::lock_guard lock(mutex);
    if (requests.size() < kMaxRequests) {
      requests.push_back(std::move(request));
      changed.notify_all();
      return;
    }
  }
  if (request.done) {
    request.done(fail(ErrorKind::Exhausted, "too many wait for the configuration to be read"));
  }
}

void Engine::Impl::answer(std::vector<ReloadRequest> asked, const ReloadSource& source) {
  Result<ReloadReport> result;
  if (auto graph = source.load()) {
    result = replace(*graph);
  } else {
    result = std::unexpected(std::move(graph.error()));
  }
  if (result) {
    reloads("applied").add();
    if (source.applied) source.applied();
    log_info("the configuration was read again ({}): {} components started, {} go on, {} stop",
             asked.front().why, result->started, result->kept, result->stopped);
  } else {
    reloads("refused").add();
    log_error("the configuration was read again ({}) and refused; the one before goes on: {}",
              asked.front().why, result.error().message);
  }
  for (ReloadRequest& request : asked) {
    if (request.done) request.done(result);
  }
  retire();
}

Result<ReloadReport> Engine::reload(const config::Graph& graph) {
  auto report = impl_->replace(graph);
  impl_->retire();
  return report;
}

}  // namespace sonde::pipeline
