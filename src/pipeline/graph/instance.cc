// SPDX-License-Identifier: Apache-2.0
#include "pipeline/graph/instance.h"

#include <algorithm>

#include "base/log.h"
#include "net/socket/listen_scope.h"
#include "pipeline/lease.h"

namespace sonde::pipeline {

void Extensions::add(Instance& extension) { all_.push_back(&extension); }

Component* Extensions::peek(std::string_view id) const {
  const auto at = std::ranges::find(all_, id, &Instance::id);
  return at == all_.end() ? nullptr : (*at)->component.get();
}

Component* Extensions::find(std::string_view id) {
  const auto at = std::ranges::find(all_, id, &Instance::id);
  if (at == all_.end()) return nullptr;
  Instance& extension = **at;
  if (extension.state == Instance::State::Starting) {
    log_warn("extensions::{}: it needs, by way of others, itself", extension.id);
    return nullptr;
  }
  return extension.start() ? extension.component.get() : nullptr;
}

Scheduler& InstanceHost::scheduler() { return instance_.shard->scheduler(); }
net::Loop& InstanceHost::loop() { return instance_.shard->loop(); }
std::string_view InstanceHost::id() const { return instance_.id; }
int InstanceHost::shard() const { return instance_.shard->index(); }

void InstanceHost::report_status(Status status) {
  const bool fatal = status.kind == StatusKind::FatalError;
  const std::string error = fatal ? status.error : std::string();
  if (instance_.status->report(std::move(status), clock().unix_ns()) && fatal) {
    on_fatal_(instance_.key, error);
  }
}

Component* InstanceHost::extension(std::string_view id) {
  std::shared_ptr<Extensions> extensions;
  {
    const std::lock_guard lock(mutex_);
    asked_for_.emplace(id);
    extensions = extensions_;
  }
  return extensions->find(id);
}

void InstanceHost::join(std::shared_ptr<Extensions> extensions) {
  const std::lock_guard lock(mutex_);
  extensions_ = std::move(extensions);
}

std::set<std::string> InstanceHost::asked_for() const {
  const std::lock_guard lock(mutex_);
  return asked_for_;
}

std::shared_ptr<void> InstanceHost::lease_erased(
    std::string_view identity, const std::type_info& type,
    const std::function<std::shared_ptr<void>()>& make) {
  return pipeline::lease(identity, type, make);
}

Result<> Instance::start() {
  if (state == State::Running) return {};
  if (state != State::Made) return std::unexpected(error);
  state = State::Starting;
  host->report_status({.kind = StatusKind::Starting});
  const net::ListenScope listens(this);
  auto started = component->start(*host);
  if (!started) {
    host->report_status(Status::permanent(started.error()));
    state = State::Stopped;
    error = at(std::string(kind_name(type->kind)) + "s::" + id, std::move(started.error()));
    return std::unexpected(error);
  }
  if (status->kind() == StatusKind::Starting) host->report_status(Status::ok());
  state = State::Running;
  return {};
}

void Instance::stop() {
  host->report_status({.kind = StatusKind::Stopping});
  component->stop();
}

void Instance::retarget(const Outputs& outputs) {
  size_t next = 0;
  for_each_output(outputs, [&](Sink* sink, Signal, auto) { ports[next++]->retarget(*sink); });
}

std::vector<std::string> shape_of(const Outputs& outputs) {
  std::vector<std::string> shape;
  for_each_output(outputs,
                  [&](Sink*, Signal signal, auto) { shape.emplace_back(to_string(signal)); });
  for (const PipelineOutput& output : outputs.pipelines) shape.push_back("pipeline " + output.id);
  return shape;
}

}  // namespace sonde::pipeline
