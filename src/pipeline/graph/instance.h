// SPDX-License-Identifier: Apache-2.0
//
// A component as the engine holds it: with its settings, its host, and the ports through which it
// sends. When the configuration is read again an unchanged instance goes on as it is; only its
// ports are turned to what follows now. Only the engine uses this.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/value.h"
#include "pipeline/component.h"
#include "pipeline/graph/shard.h"
#include "pipeline/introspection/output_meter.h"
#include "pipeline/introspection/status.h"

namespace sonde::pipeline {

struct Instance;

// The extensions of one configuration.
class Extensions {
 public:
  void add(Instance& extension);
  // Starts it first where it has not started yet: one extension may need another. nullptr: there is
  // none, or it does not start, or it is being started and asks, by a detour, for itself.
  Component* find(std::string_view id);
  Component* peek(std::string_view id) const;

 private:
  std::vector<Instance*> all_;
};

// A component said that the process must end. From any shard.
using OnFatal = std::function<void(std::string key, std::string error)>;

class InstanceHost final : public Host {
 public:
  // The instance's shard, id, key and status are set, and it outlives the host.
  InstanceHost(Instance& instance, std::shared_ptr<Extensions> extensions, OnFatal on_fatal)
      : instance_(instance), on_fatal_(std::move(on_fatal)), extensions_(std::move(extensions)) {}
  Scheduler& scheduler() override;
  net::Loop& loop() override;
  std::string_view id() const override;
  int shard() const override;
  Component* extension(std::string_view id) override;
  Component* predecessor() override { return predecessor_; }
  void report_status(Status status) override;

  // On the shard, or before the component has started.
  void set_predecessor(Component* component) { predecessor_ = component; }
  void join(std::shared_ptr<Extensions> extensions);
  // The ids that were asked for so far. Any thread.
  std::set<std::string> asked_for() const;

 private:
  std::shared_ptr<void> lease_erased(std::string_view identity, const std::type_info& type,
                                     const std::function<std::shared_ptr<void>()>& make) override;

  Instance& instance_;
  const OnFatal on_fatal_;
  Component* predecessor_ = nullptr;
  mutable std::mutex mutex_;
  std::shared_ptr<Extensions> extensions_;
  std::set<std::string> asked_for_;
};

struct Instance {
  std::string key;  // component_key() of topology.h.
  std::string id;
  const ComponentType* type;
  Shard* shard;
  config::Value settings;
  config::Position position;
  std::vector<std::unique_ptr<OutputMeter>> ports;  // In the order of for_each_output().
  std::vector<std::string> shape;  // What the outputs are, without where they lead.
  std::unique_ptr<StatusReporter> status;
  std::unique_ptr<InstanceHost> host;
  std::unique_ptr<Component> component;
  // Of the new configuration, or nullptr: what this one replaces.
  Instance* replaces = nullptr;

  enum class State { Made, Starting, Running, Stopped };
  std::atomic<State> state = State::Made;
  Error error;  // Of a start() that failed.

  // On the shard. What was started already is left alone.
  Result<> start();
  void stop();
  // Turns the ports to `outputs`, which have the same shape.
  void retarget(const Outputs& outputs);
};

// "traces", "pipeline traces/eu", ...: equal for outputs that a component cannot tell apart.
std::vector<std::string> shape_of(const Outputs& outputs);

// Calls visit(Sink*&, Signal, pipeline) for each output that there is; the pipeline is empty but
// for those that a connector chooses between.
template <class OutputsLike, class Visit>
void for_each_output(OutputsLike& outputs, Visit&& visit) {
  for (const Signal signal : kSignals) {
    if (auto&& sink = outputs.of(signal)) visit(sink, signal, std::string_view());
  }
  for (auto& output : outputs.pipelines) {
    visit(output.sink, output.signal, std::string_view(output.id));
  }
}

}  // namespace sonde::pipeline
