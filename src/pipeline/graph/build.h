// SPDX-License-Identifier: Apache-2.0
//
// Turns a Graph into instances and the sinks between them. Building walks against the data, from
// exporters to receivers, so that each instance is made with its outputs; the order of the list is
// therefore the order to start in, and its reverse the order to stop in.
//
// Built beside another build that runs, it takes over each instance whose settings, outputs and
// extensions are as they were: such an instance stands in the lists of both, and settle() turns its
// ports to the sinks of this one. Only the engine uses this.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "config/graph.h"
#include "pipeline/component.h"
#include "pipeline/graph/instance.h"
#include "pipeline/graph/shard.h"
#include "pipeline/introspection/tap.h"
#include "pipeline/lease.h"

namespace sonde::pipeline {

class Build {
 public:
  // `running` is what it is built beside, or nullptr. It must outlive all().
  Build(config::Graph graph, std::span<const ComponentType* const> types,
        const std::vector<std::unique_ptr<Shard>>& shards, size_t door_bytes, OnFatal on_fatal,
        const Build* running = nullptr)
      : graph_(std::move(graph)),
        types_(types),
        shards_(shards),
        door_bytes_(door_bytes),
        on_fatal_(std::move(on_fatal)),
        running_(running),
        taps_(std::static_pointer_cast<TapBoard>(
            lease(kTapBoard, typeid(TapBoard), [] { return std::make_shared<TapBoard>(); }))) {}

  Result<> all();
  // On `shard`: new instances take what their predecessors hold, and the data of those that go on
  // turns to this build.
  void settle(const Shard& shard);
  // The first stage of a pipeline as seen from a shard.
  Result<Sink*> entry(const config::PipelineNode& pipeline, int shard);
  // Whether nothing is on its way to the instance from another shard.
  bool quiet(const Instance& instance) const;
  // On the instance's shard: nothing reaches it through this build any more.
  void shut(const Instance& instance);
  bool carried(const Instance& instance) const { return carried_.contains(&instance); }
  // The instances of what it is built beside that do not go on.
  std::set<const void*> leaving() const;
  // What it was built beside has ended.
  void forget_running() { running_ = nullptr; }
  // Extensions before those that asked for them, once all have started.
  void order_extensions();

  const config::Graph& graph() const { return graph_; }
  std::vector<std::shared_ptr<Instance>> instances;

 private:
  // What an instance is made for.
  struct Place {
    const config::ComponentNode* node;
    int shard = 0;
    const config::PipelineNode* pipeline = nullptr;  // Of a processor.
    std::optional<Signal> signal = {};               // Of a connector that keeps signals apart.
    auto operator<=>(const Place&) const = default;
  };

  Result<> extension(const std::string& id);
  Result<Sink*> stage(const config::PipelineNode& pipeline, size_t index, int shard);
  Result<Sink*> exporters(const config::PipelineNode& pipeline, int shard);
  Result<Outputs> outputs_of(const Place& place);
  // The instance that data on the place's shard goes to, behind a door or a partitioner if need be.
  Result<Sink*> reach(const Place& place);
  Result<Component*> instance(const Place& place);
  Result<std::shared_ptr<Instance>> make(const config::ComponentNode& node,
                                         const ComponentType& type, std::string key, int shard,
                                         Outputs outputs);
  // The running instance that may go on in this build as it is; `replaced` is the one that may not.
  std::shared_ptr<Instance> carry(const config::ComponentNode& node, const ComponentType& type,
                                  const std::string& key, int shard, const Outputs& outputs,
                                  Instance*& replaced) const;
  Sink* fan_out(std::vector<Sink*> targets);
  Result<> check_signal(const config::ComponentNode& node, const config::PipelineNode& pipeline,
                        bool gives, const config::Reference& reference);

  const config::Graph graph_;
  std::span<const ComponentType* const> types_;
  const std::vector<std::unique_ptr<Shard>>& shards_;
  const size_t door_bytes_;
  const OnFatal on_fatal_;
  const Build* running_;
  // Held for as long as the meters: the board knows their taps by name.
  const std::shared_ptr<TapBoard> taps_;
  std::vector<std::unique_ptr<Sink>> sinks_;  // Doors, fan-outs and partitioners.
  std::multimap<const Component*, ShardDoor*> doors_;
  std::shared_ptr<Extensions> extensions_ = std::make_shared<Extensions>();
  std::map<const Instance*, Outputs> carried_;  // With what their ports lead to in this build.
  std::set<std::string> extensions_built_;
  std::map<Place, Component*> made_;
  std::map<Place, Sink*> reached_;
  std::map<std::pair<const void*, int>, Sink*> fans_;
  std::set<Place> open_;  // Being built: a cycle comes back here.
};

Result<Signal> signal_of(const config::PipelineNode& pipeline);

}  // namespace sonde::pipeline
