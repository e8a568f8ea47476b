// SPDX-License-Identifier: Apache-2.0
//
// Turns a Graph into instances and the sinks between them. Building walks against the data, from
// exporters to receivers, so that each instance is made with its outputs; the order of the list is
// therefore the order to start in, and its reverse the order to stop in. Only the engine uses this.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "config/graph.h"
#include "pipeline/component.h"
#include "pipeline/lease.h"
#include "pipeline/shard.h"
#include "pipeline/status.h"
#include "pipeline/tap.h"

namespace sonde::pipeline {

struct Instance {
  std::string id;
  std::string key;  // Of topology.h.
  const ComponentType* type;
  Shard* shard;
  std::unique_ptr<Component> component;
  std::unique_ptr<StatusReporter> status;
  std::unique_ptr<Host> host;
  bool started = false;
};

// A component said that the process must end. From any shard.
using OnFatal = std::function<void(std::string key, std::string error)>;

class Build {
 public:
  Build(const config::Graph& graph, std::span<const ComponentType* const> types,
        const std::vector<std::unique_ptr<Shard>>& shards, size_t door_bytes, OnFatal on_fatal)
      : graph_(graph),
        types_(types),
        shards_(shards),
        door_bytes_(door_bytes),
        on_fatal_(std::move(on_fatal)),
        taps_(std::static_pointer_cast<TapBoard>(
            lease(kTapBoard, typeid(TapBoard), [] { return std::make_shared<TapBoard>(); }))) {}

  Result<> all();
  // The first stage of a pipeline as seen from a shard.
  Result<Sink*> entry(const config::PipelineNode& pipeline, int shard);

  std::vector<std::unique_ptr<Instance>> instances;
  std::vector<std::unique_ptr<Sink>> sinks;  // Doors, fan-outs, partitioners and meters.

 private:
  Result<Sink*> stage(const config::PipelineNode& pipeline, size_t index, int shard);
  Result<Sink*> exporters(const config::PipelineNode& pipeline, int shard);
  Result<Outputs> outputs_of(const config::ComponentNode& node, int shard);
  // The instance of `node` that data on `shard` goes to, behind a door or a partitioner if need be.
  Result<Sink*> reach(const config::ComponentNode& node, const config::PipelineNode* pipeline,
                      size_t index, int shard);
  Result<Component*> instance(const config::ComponentNode& node,
                              const config::PipelineNode* pipeline, size_t index, int shard);
  Sink* fan_out(std::vector<Sink*> targets);
  // Puts a counter before each output of the component with this key.
  void meter(Outputs& outputs, const std::string& component);
  Result<> check_signal(const config::ComponentNode& node, const config::PipelineNode& pipeline,
                        bool gives, const config::Reference& reference);

  const config::Graph& graph_;
  std::span<const ComponentType* const> types_;
  const std::vector<std::unique_ptr<Shard>>& shards_;
  const size_t door_bytes_;
  const OnFatal on_fatal_;
  // Held for as long as the meters: the board knows their taps by name.
  const std::shared_ptr<TapBoard> taps_;
  std::map<std::tuple<const void*, const void*, int>, Component*> made_;
  std::map<std::tuple<const void*, const void*, int>, Sink*> reached_;
  std::map<std::pair<const void*, int>, Sink*> fans_;
  std::set<std::tuple<const void*, const void*, int>>
      open_;  // Being built: a cycle comes back here.
};

Result<Signal> signal_of(const config::PipelineNode& pipeline);
using FindExtension = std::function<Component*(std::string_view id)>;
// The instance's shard, id and status are set, and it outlives the host.
std::unique_ptr<Host> make_host(Instance& instance, FindExtension find, OnFatal on_fatal);

}  // namespace sonde::pipeline
