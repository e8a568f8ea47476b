// SPDX-License-Identifier: Apache-2.0
#include "pipeline/graph/build.h"

#include <algorithm>

#include "pipeline/check.h"
#include "pipeline/engine.h"
#include "pipeline/introspection/output_meter.h"
#include "pipeline/introspection/topology.h"
#include "pipeline/lease.h"

namespace sonde::pipeline {
namespace {

using config::ComponentNode;
using config::PipelineNode;
using config::Section;

std::string words(Signals signals) {
  std::string out;
  for (const Signal signal : kSignals) {
    if (!signals.has(signal)) continue;
    out += (out.empty() ? "" : ", ") + std::string(to_string(signal));
  }
  return out.empty() ? "nothing" : out;
}

}  // namespace

Result<Signal> signal_of(const PipelineNode& pipeline) {
  for (const Signal signal : kSignals) {
    if (pipeline.signal == to_string(signal)) return signal;
  }
  return config::fail_at(pipeline.position, "unknown signal " + pipeline.signal);
}

Result<> Build::check_signal(const ComponentNode& node, const PipelineNode& pipeline, bool gives,
                             const config::Reference& reference) {
  const ComponentType* type = TRY(find_type(types_, node));
  const Signals signals = gives ? type->out : type->in;
  if (signals.has(TRY(signal_of(pipeline)))) return {};
  return config::fail_at(reference.position,
                         "service::pipelines::" + pipeline.id + ": " +
                             std::string(kind_name(type->kind)) + " \"" + node.id + "\" does not " +
                             (gives ? "give " : "take ") + pipeline.signal + "; it " +
                             (gives ? "gives " : "takes ") + words(signals));
}

Result<> Build::all() {
  TRY(check_graph(graph_, types_));
  for (const config::Reference& reference : graph_.extensions) {
    TRY(extension(reference.id));
  }
  for (const PipelineNode& pipeline : graph_.pipelines) {
    for (const auto& reference : pipeline.receivers) {
      const ComponentNode* node = graph_.find(Section::Receivers, reference.id);
      if (!node) node = graph_.find(Section::Connectors, reference.id);
      TRY(check_signal(*node, pipeline, true, reference));
    }
    for (const auto& shard : shards_) (void)TRY(entry(pipeline, shard->index()));
  }
  for (const PipelineNode& pipeline : graph_.pipelines) {
    for (const auto& reference : pipeline.receivers) {
      const ComponentNode* node = graph_.find(Section::Receivers, reference.id);
      if (!node) continue;
      const ComponentType* type = TRY(find_type(types_, *node));
      const size_t count = type->placement == Placement::Pinned ? 1 : shards_.size();
      for (size_t shard = 0; shard < count; ++shard) {
        (void)TRY(instance({.node = node, .shard = static_cast<int>(shard)}));
      }
    }
  }
  for (const auto& made : instances) {
    // Its outputs still lead to what runs: see Engine::Impl::replace().
    if (carried(*made)) continue;
    if (auto checked = made->component->check_outputs(); !checked) {
      return std::unexpected(at(std::string(kind_name(made->type->kind)) + "s::" + made->id,
                                std::move(checked.error())));
    }
  }
  return {};
}

// One that others asked for is built before them, so that they know whether it goes on.
Result<> Build::extension(const std::string& id) {
  if (!extensions_built_.insert(id).second) return {};
  if (running_) {
    for (const auto& instance : running_->instances) {
      if (instance->type->kind != Kind::Extension || instance->id != id) continue;
      for (const std::string& other : instance->host->asked_for()) {
        if (std::ranges::find(graph_.extensions, other, &config::Reference::id) !=
            graph_.extensions.end()) {
          TRY(extension(other));
        }
      }
    }
  }
  (void)TRY(instance({.node = graph_.find(Section::Extensions, id)}));
  return {};
}

Result<Sink*> Build::entry(const PipelineNode& pipeline, int shard) {
  return stage(pipeline, 0, shard);
}

Result<Sink*> Build::stage(const PipelineNode& pipeline, size_t index, int shard) {
  if (index == pipeline.processors.size()) return exporters(pipeline, shard);
  const auto& reference = pipeline.processors[index];
  const ComponentNode& node = *graph_.find(Section::Processors, reference.id);
  TRY(check_signal(node, pipeline, false, reference));
  return reach({.node = &node, .shard = shard, .pipeline = &pipeline});
}

Result<Sink*> Build::exporters(const PipelineNode& pipeline, int shard) {
  const std::pair<const void*, int> key{&pipeline, shard};
  if (const auto at = fans_.find(key); at != fans_.end()) return at->second;
  std::vector<Sink*> targets;
  for (const auto& reference : pipeline.exporters) {
    const ComponentNode* node = graph_.find(Section::Exporters, reference.id);
    if (!node) node = graph_.find(Section::Connectors, reference.id);
    TRY(check_signal(*node, pipeline, false, reference));
    Place place{.node = node, .shard = shard};
    if (TRY(find_type(types_, *node))->same_signal) place.signal = TRY(signal_of(pipeline));
    targets.push_back(TRY(reach(place)));
  }
  return fans_[key] = fan_out(std::move(targets));
}

Sink* Build::fan_out(std::vector<Sink*> targets) {
  if (targets.size() == 1) return targets[0];
  sinks_.push_back(std::make_unique<FanOut>(std::move(targets)));
  return sinks_.back().get();
}

Result<Sink*> Build::reach(const Place& place) {
  if (const auto at = reached_.find(place); at != reached_.end()) return at->second;
  const ComponentNode& node = *place.node;
  const ComponentType* type = TRY(find_type(types_, node));
  const auto door = [&](int home) -> Result<Sink*> {
    Place at_home = place;
    at_home.shard = home;
    Component* sink = TRY(instance(at_home));
    if (home == place.shard) return sink;
    auto made = std::make_unique<ShardDoor>(*shards_[static_cast<size_t>(home)], *sink, node.id,
                                            door_bytes_);
    doors_.emplace(sink, made.get());
    sinks_.push_back(std::move(made));
    return sinks_.back().get();
  };
  Sink* result = nullptr;
  if (type->placement == Placement::Pinned) {
    result = TRY(door(0));
  } else if (type->placement == Placement::Replicated || shards_.size() == 1) {
    result = TRY(door(place.shard));
  } else {
    std::vector<Sink*> targets;
    for (const auto& other : shards_) targets.push_back(TRY(door(other->index())));
    sinks_.push_back(std::make_unique<Partitioner>(std::move(targets)));
    result = sinks_.back().get();
  }
  if (place.pipeline) {
    Counter& items = processor_items("otelcol_processor_incoming_items", node.id,
                                     TRY(signal_of(*place.pipeline)));
    sinks_.push_back(std::make_unique<ItemCounter>(*result, items));
    result = sinks_.back().get();
  }
  return reached_[place] = result;
}

Result<Outputs> Build::outputs_of(const Place& place) {
  const ComponentNode& node = *place.node;
  std::map<Signal, std::vector<Sink*>> targets;
  Outputs outputs;
  for (const PipelineNode& pipeline : graph_.pipelines) {
    const auto names = [&](const config::Reference& r) { return r.id == node.id; };
    if (!std::ranges::any_of(pipeline.receivers, names)) continue;
    const Signal signal = TRY(signal_of(pipeline));
    if (place.signal && signal != *place.signal) continue;
    Sink* sink = TRY(entry(pipeline, place.shard));
    targets[signal].push_back(sink);
    if (node.section == Section::Connectors)
      outputs.pipelines.push_back({pipeline.id, signal, sink});
  }
  for (auto& [signal, sinks] : targets) outputs.of(signal) = fan_out(std::move(sinks));
  return outputs;
}

Result<Component*> Build::instance(const Place& place) {
  if (const auto at = made_.find(place); at != made_.end()) return at->second;
  const ComponentNode& node = *place.node;
  if (!open_.insert(place).second) {
    return config::fail_at(node.position,
                           "connectors::" + node.id + ": its output comes back to its input");
  }
  const ComponentType* type = TRY(find_type(types_, node));
  Outputs outputs;
  std::string part;
  if (place.pipeline) {
    const auto& steps = place.pipeline->processors;
    const auto step = std::ranges::find(steps, node.id, &config::Reference::id);
    const auto index = static_cast<size_t>(step - steps.begin());
    Sink* next = TRY(stage(*place.pipeline, index + 1, place.shard));
    const Signal signal = TRY(signal_of(*place.pipeline));
    part = place.pipeline->id;
    outputs.of(signal) = next;
  } else if (type->kind == Kind::Receiver || type->kind == Kind::Connector) {
    outputs = TRY(outputs_of(place));
    if (place.signal) part = to_string(*place.signal);
  }
  std::string key = component_key(kind_name(type->kind), node.id, part);
  auto made = TRY(make(node, *type, std::move(key), place.shard, std::move(outputs)));
  Component* component = made->component.get();
  if (type->kind == Kind::Extension) extensions_->add(*made);
  instances.push_back(std::move(made));
  open_.erase(place);
  return made_[place] = component;
}

Result<std::shared_ptr<Instance>> Build::make(const ComponentNode& node, const ComponentType& type,
                                              std::string key, int shard, Outputs outputs) {
  Instance* replaced = nullptr;
  if (auto running = carry(node, type, key, shard, outputs, replaced)) {
    carried_.emplace(running.get(), std::move(outputs));
    return running;
  }
  auto made = std::make_shared<Instance>();
  made->key = std::move(key);
  made->id = node.id;
  made->type = &type;
  made->shard = shards_[static_cast<size_t>(shard)].get();
  made->settings = node.config;
  made->position = node.position;
  made->shape = shape_of(outputs);
  made->replaces = replaced;
  for_each_output(outputs, [&](Sink*& output, Signal signal, std::string_view pipeline) {
    Counter* const too = type.kind == Kind::Processor
                             ? &processor_items("otelcol_processor_outgoing_items", node.id, signal)
                             : nullptr;
    made->ports.push_back(std::make_unique<OutputMeter>(
        *output, made->key, signal, pipeline, taps_->point(made->key, signal, pipeline), too));
    output = made->ports.back().get();
  });
  made->component = TRY(type.create(node.config, node.id, std::move(outputs)));
  const auto board = std::static_pointer_cast<StatusBoard>(
      lease(kStatusBoard, typeid(StatusBoard), [] { return std::make_shared<StatusBoard>(); }));
  made->status = std::make_unique<StatusReporter>(board, made->key, shard);
  made->host = std::make_unique<InstanceHost>(*made, extensions_, on_fatal_);
  if (replaced) made->host->set_predecessor(replaced->component.get());
  return made;
}

std::shared_ptr<Instance> Build::carry(const ComponentNode& node, const ComponentType& type,
                                       const std::string& key, int shard, const Outputs& outputs,
                                       Instance*& replaced) const {
  if (!running_) return nullptr;
  const auto at = std::ranges::find_if(running_->instances, [&](const auto& i) {
    return i->key == key && i->shard->index() == shard;
  });
  if (at == running_->instances.end() || (*at)->type != &type) return nullptr;
  replaced = at->get();
  if (!config::same_settings(replaced->settings, node.config)) return nullptr;
  if (replaced->shape != shape_of(outputs)) return nullptr;
  // Whoever holds an extension that goes away must not go on holding it.
  for (const std::string& id : replaced->host->asked_for()) {
    if (running_->extensions_->peek(id) != extensions_->peek(id)) return nullptr;
  }
  return *at;
}

std::set<const void*> Build::leaving() const {
  std::set<const void*> out;
  if (!running_) return out;
  for (const auto& instance : running_->instances) {
    if (!carried(*instance)) out.insert(instance.get());
  }
  return out;
}

void Build::settle(const Shard& shard) {
  for (const auto& instance : instances) {
    if (instance->shard != &shard) continue;
    if (const auto at = carried_.find(instance.get()); at != carried_.end()) {
      instance->retarget(at->second);
      instance->host->join(extensions_);
    } else if (instance->replaces) {
      instance->component->take_over(*instance->replaces->component);
      instance->host->set_predecessor(nullptr);
    }
  }
}

bool Build::quiet(const Instance& instance) const {
  const auto [first, last] = doors_.equal_range(instance.component.get());
  return std::all_of(first, last, [](const auto& door) { return door.second->empty(); });
}

void Build::shut(const Instance& instance) {
  const auto [first, last] = doors_.equal_range(instance.component.get());
  std::for_each(first, last, [](const auto& door) { door.second->close(); });
}

void Build::order_extensions() {
  std::vector<std::shared_ptr<Instance>> ordered;
  std::set<std::string> seen;
  const auto is_extension = [](const auto& i) { return i->type->kind == Kind::Extension; };
  const std::function<void(const std::shared_ptr<Instance>&)> place = [&](const auto& instance) {
    if (!seen.insert(instance->id).second) return;
    for (const std::string& id : instance->host->asked_for()) {
      for (const auto& other : instances) {
        if (is_extension(other) && other->id == id) place(other);
      }
    }
    ordered.push_back(instance);
  };
  for (const auto& instance : instances) {
    if (is_extension(instance)) place(instance);
  }
  std::ranges::copy(ordered, instances.begin());
}

}  // namespace sonde::pipeline
