// SPDX-License-Identifier: Apache-2.0
#include "pipeline/build.h"

#include <algorithm>

#include "pipeline/check.h"
#include "pipeline/engine.h"
#include "pipeline/lease.h"
#include "pipeline/output_meter.h"
#include "pipeline/topology.h"

namespace sonde::pipeline {
namespace {

using config::ComponentNode;
using config::PipelineNode;
using config::Section;

class ShardHost final : public Host {
 public:
  ShardHost(Instance& instance, FindExtension find, OnFatal on_fatal)
      : instance_(instance), find_(std::move(find)), on_fatal_(std::move(on_fatal)) {}
  Scheduler& scheduler() override { return instance_.shard->scheduler(); }
  net::Loop& loop() override { return instance_.shard->loop(); }
  std::string_view id() const override { return instance_.id; }
  int shard() const override { return instance_.shard->index(); }
  Component* extension(std::string_view id) override { return find_(id); }
  void report_status(Status status) override {
    const std::string error = status.kind == StatusKind::FatalError ? status.error : std::string();
    const bool fatal = status.kind == StatusKind::FatalError;
    if (instance_.status->report(std::move(status), clock().unix_ns()) && fatal) {
      on_fatal_(instance_.key, error);
    }
  }

 private:
  std::shared_ptr<void> lease_erased(std::string_view identity, const std::type_info& type,
                                     const std::function<std::shared_ptr<void>()>& make) override {
    return pipeline::lease(identity, type, make);
  }

  Instance& instance_;
  const FindExtension find_;
  const OnFatal on_fatal_;
};

std::string words(Signals signals) {
  std::string out;
  for (const Signal signal : {Signal::Traces, Signal::Metrics, Signal::Logs}) {
    if (!signals.has(signal)) continue;
    out += (out.empty() ? "" : ", ") + std::string(to_string(signal));
  }
  return out.empty() ? "nothing" : out;
}

}  // namespace

std::unique_ptr<Host> make_host(Instance& instance, FindExtension find, OnFatal on_fatal) {
  return std::make_unique<ShardHost>(instance, std::move(find), std::move(on_fatal));
}

Result<Signal> signal_of(const PipelineNode& pipeline) {
  for (const Signal signal : {Signal::Traces, Signal::Metrics, Signal::Logs}) {
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
    (void)TRY(instance(*graph_.find(Section::Extensions, reference.id), nullptr, 0, 0));
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
        (void)TRY(instance(*node, nullptr, 0, static_cast<int>(shard)));
      }
    }
  }
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
  return reach(node, &pipeline, index, shard);
}

Result<Sink*> Build::exporters(const PipelineNode& pipeline, int shard) {
  const std::pair<const void*, int> key{&pipeline, shard};
  if (const auto at = fans_.find(key); at != fans_.end()) return at->second;
  std::vector<Sink*> targets;
  for (const auto& reference : pipeline.exporters) {
    const ComponentNode* node = graph_.find(Section::Exporters, reference.id);
    if (!node) node = graph_.find(Section::Connectors, reference.id);
    TRY(check_signal(*node, pipeline, false, reference));
    targets.push_back(TRY(reach(*node, nullptr, 0, shard)));
  }
  return fans_[key] = fan_out(std::move(targets));
}

Sink* Build::fan_out(std::vector<Sink*> targets) {
  if (targets.size() == 1) return targets[0];
  sinks.push_back(std::make_unique<FanOut>(std::move(targets)));
  return sinks.back().get();
}

Result<Sink*> Build::reach(const ComponentNode& node, const PipelineNode* pipeline, size_t index,
                           int shard) {
  const std::tuple<const void*, const void*, int> key{&node, pipeline, shard};
  if (const auto at = reached_.find(key); at != reached_.end()) return at->second;
  const ComponentType* type = TRY(find_type(types_, node));
  const auto door = [&](int home) -> Result<Sink*> {
    Sink* sink = TRY(instance(node, pipeline, index, home));
    if (home == shard) return sink;
    sinks.push_back(std::make_unique<ShardDoor>(*shards_[static_cast<size_t>(home)], *sink, node.id,
                                                door_bytes_));
    return sinks.back().get();
  };
  Sink* result = nullptr;
  if (type->placement == Placement::Pinned) {
    result = TRY(door(0));
  } else if (type->placement == Placement::Replicated || shards_.size() == 1) {
    result = TRY(door(shard));
  } else {
    std::vector<Sink*> targets;
    for (const auto& other : shards_) targets.push_back(TRY(door(other->index())));
    sinks.push_back(std::make_unique<Partitioner>(std::move(targets)));
    result = sinks.back().get();
  }
  return reached_[key] = result;
}

Result<Outputs> Build::outputs_of(const ComponentNode& node, int shard) {
  std::map<Signal, std::vector<Sink*>> targets;
  Outputs outputs;
  for (const PipelineNode& pipeline : graph_.pipelines) {
    const auto names = [&](const config::Reference& r) { return r.id == node.id; };
    if (!std::ranges::any_of(pipeline.receivers, names)) continue;
    const Signal signal = TRY(signal_of(pipeline));
    Sink* sink = TRY(entry(pipeline, shard));
    targets[signal].push_back(sink);
    if (node.section == Section::Connectors)
      outputs.pipelines.push_back({pipeline.id, signal, sink});
  }
  if (auto& t = targets[Signal::Traces]; !t.empty()) outputs.traces = fan_out(std::move(t));
  if (auto& t = targets[Signal::Metrics]; !t.empty()) outputs.metrics = fan_out(std::move(t));
  if (auto& t = targets[Signal::Logs]; !t.empty()) outputs.logs = fan_out(std::move(t));
  return outputs;
}

void Build::meter(Outputs& outputs, const std::string& component) {
  const auto wrap = [&](Sink*& output, Signal signal, std::string_view pipeline) {
    if (!output) return;
    sinks.push_back(std::make_unique<OutputMeter>(*output, component, signal,
                                                  taps_->point(component, signal, pipeline)));
    output = sinks.back().get();
  };
  wrap(outputs.traces, Signal::Traces, "");
  wrap(outputs.metrics, Signal::Metrics, "");
  wrap(outputs.logs, Signal::Logs, "");
  for (PipelineOutput& output : outputs.pipelines) {
    wrap(output.sink, output.signal, output.id);
  }
}

Result<Component*> Build::instance(const ComponentNode& node, const PipelineNode* pipeline,
                                   size_t index, int shard) {
  const std::tuple<const void*, const void*, int> key{&node, pipeline, shard};
  if (const auto at = made_.find(key); at != made_.end()) return at->second;
  if (!open_.insert(key).second) {
    return config::fail_at(node.position,
                           "connectors::" + node.id + ": its output comes back to its input");
  }
  const ComponentType* type = TRY(find_type(types_, node));
  Outputs outputs;
  if (pipeline) {
    Sink* next = TRY(stage(*pipeline, index + 1, shard));
    const Signal signal = TRY(signal_of(*pipeline));
    (signal == Signal::Traces    ? outputs.traces
     : signal == Signal::Metrics ? outputs.metrics
                                 : outputs.logs) = next;
  } else if (type->kind == Kind::Receiver || type->kind == Kind::Connector) {
    outputs = TRY(outputs_of(node, shard));
  }
  auto made = std::make_unique<Instance>();
  made->id = node.id;
  made->key = component_key(kind_name(type->kind), node.id,
                            pipeline ? std::string_view(pipeline->id) : std::string_view());
  meter(outputs, made->key);
  made->type = type;
  made->shard = shards_[static_cast<size_t>(shard)].get();
  made->component = TRY(type->create(node.config, node.id, outputs));
  const auto find = [this](std::string_view id) -> Component* {
    for (const auto& other : instances) {
      if (other->type->kind == Kind::Extension && other->id == id) return other->component.get();
    }
    return nullptr;
  };
  const auto board = std::static_pointer_cast<StatusBoard>(
      lease(kStatusBoard, typeid(StatusBoard), [] { return std::make_shared<StatusBoard>(); }));
  made->status = std::make_unique<StatusReporter>(board, made->key, shard);
  made->host = make_host(*made, find, on_fatal_);
  Component* component = made->component.get();
  instances.push_back(std::move(made));
  open_.erase(key);
  return made_[key] = component;
}

}  // namespace sonde::pipeline
