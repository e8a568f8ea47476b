// SPDX-License-Identifier: Apache-2.0
#include "pipeline/check.h"

#include <algorithm>
#include <map>
#include <set>

#include "config/named_extensions.h"

namespace sonde::pipeline {
namespace {

using config::ComponentNode;
using config::PipelineNode;
using config::Problems;
using config::Reference;
using config::Section;

Kind kind_of(Section section) {
  switch (section) {
    case Section::Receivers:
      return Kind::Receiver;
    case Section::Processors:
      return Kind::Processor;
    case Section::Exporters:
      return Kind::Exporter;
    case Section::Connectors:
      return Kind::Connector;
    case Section::Extensions:
      break;
  }
  return Kind::Extension;
}

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::string words(Signals signals) {
  std::string out;
  for (const Signal signal : kSignals) {
    if (!signals.has(signal)) continue;
    out += (out.empty() ? "" : ", ") + std::string(to_string(signal));
  }
  return out.empty() ? "nothing" : out;
}

// graph.cc lets no other through.
Signal signal_of(const PipelineNode& pipeline) {
  return *std::ranges::find(kSignals, pipeline.signal, [](Signal s) { return to_string(s); });
}

bool names(const std::vector<Reference>& list, std::string_view id) {
  return std::ranges::any_of(list, [&](const Reference& r) { return r.id == id; });
}

bool connects(const ComponentType& type, Signal from, Signal to) {
  return type.in.has(from) && type.out.has(to) && (!type.same_signal || from == to);
}

class Check {
 public:
  Check(const config::Graph& graph, std::span<const ComponentType* const> types)
      : graph_(graph), types_(types) {}

  Result<> run() {
    for (const ComponentNode& node : graph_.components) component(node);
    for (const auto& [node, type] : known_) extensions(*node, *type);
    for (const PipelineNode& pipeline : graph_.pipelines) signals(pipeline);
    for (const auto& [node, type] : known_) {
      if (node->section == Section::Connectors) connector(*node, *type);
    }
    if (problems_.empty()) circles();
    return problems_.result();
  }

 private:
  void component(const ComponentNode& node) {
    auto type = find_type(types_, node);
    if (!problems_.ok(type)) return;
    known_[&node] = *type;
    if ((*type)->check && !problems_.ok((*type)->check(node.config, node.id))) wrong_.insert(&node);
  }

  bool runs(const ComponentNode& node) const {
    if (node.section == Section::Extensions) return names(graph_.extensions, node.id);
    return std::ranges::any_of(graph_.pipelines, [&](const PipelineNode& pipeline) {
      const bool processor = node.section == Section::Processors;
      return processor ? names(pipeline.processors, node.id)
                       : names(pipeline.receivers, node.id) || names(pipeline.exporters, node.id);
    });
  }

  // Those that its settings name must run where it does.
  void extensions(const ComponentNode& node, const ComponentType& type) {
    if (!type.fields || !runs(node)) return;
    const std::string path = std::string(config::section_name(node.section)) + "::" + node.id;
    for (const auto& named : config::named_extensions(node.config, *type.fields, path)) {
      if (names(graph_.extensions, named.id)) continue;
      std::string message = named.path + ": ";
      if (graph_.find(Section::Extensions, named.id)) {
        message += "extension " + quoted(named.id) + " does not run; add it to service::extensions";
      } else {
        std::vector<std::string_view> known;
        for (const ComponentNode& other : graph_.components) {
          if (other.section == Section::Extensions) known.push_back(other.id);
        }
        message +=
            "there is no extension " + quoted(named.id) + config::suggestion(named.id, known);
      }
      problems_.add(named.position, message);
    }
  }

  const ComponentType* type_of(Section section, std::string_view id) const {
    const auto found = known_.find(graph_.find(section, id));
    return found == known_.end() ? nullptr : found->second;
  }

  void signal(const PipelineNode& pipeline, const Reference& reference, Section section,
              bool gives) {
    const ComponentType* type = type_of(section, reference.id);
    if (!type) return;
    const Signals able = gives ? type->out : type->in;
    if (able.has(signal_of(pipeline))) return settings(reference, section, signal_of(pipeline));
    problems_.add(reference.position,
                  "service::pipelines::" + pipeline.id + ": " + std::string(kind_name(type->kind)) +
                      " " + quoted(reference.id) + " does not " + (gives ? "give " : "take ") +
                      pipeline.signal + "; it " + (gives ? "gives " : "takes ") + words(able));
  }

  // Said once of a component, in however many pipelines of the signal it stands.
  void settings(const Reference& reference, Section section, Signal signal) {
    const ComponentNode& node = *graph_.find(section, reference.id);
    const ComponentType& type = *known_.at(&node);
    if (!type.check_signal || wrong_.contains(&node)) return;
    if (!asked_.emplace(&node, signal).second) return;
    problems_.ok(type.check_signal(node.config, node.id, signal));
  }

  void signals(const PipelineNode& pipeline) {
    for (const Reference& r : pipeline.receivers) signal(pipeline, r, Section::Receivers, true);
    for (const Reference& r : pipeline.processors) signal(pipeline, r, Section::Processors, false);
    for (const Reference& r : pipeline.exporters) signal(pipeline, r, Section::Exporters, false);
  }

  // Both ends of a connector must be in pipelines whose signals it can join.
  void connector(const ComponentNode& node, const ComponentType& type) {
    for (const PipelineNode& pipeline : graph_.pipelines) {
      for (const bool feeds : {true, false}) {
        if (!names(feeds ? pipeline.exporters : pipeline.receivers, node.id)) continue;
        const auto joined = [&](const PipelineNode& other) {
          if (!names(feeds ? other.receivers : other.exporters, node.id)) return false;
          const Signal here = signal_of(pipeline), there = signal_of(other);
          return feeds ? connects(type, here, there) : connects(type, there, here);
        };
        if (std::ranges::any_of(graph_.pipelines, joined)) continue;
        std::string message = "service::pipelines::" + pipeline.id + ": connector " +
                              quoted(node.id) + " is used as " +
                              (feeds ? "an exporter" : "a receiver") + " here and as " +
                              (feeds ? "a receiver" : "an exporter") +
                              " in no pipeline that it can join with this one; it takes " +
                              words(type.in) + " and gives " + words(type.out);
        if (type.same_signal) message += ", each as it came";
        problems_.add(position(feeds ? pipeline.exporters : pipeline.receivers, node.id), message);
      }
    }
  }

  static config::Position position(const std::vector<Reference>& list, std::string_view id) {
    return std::ranges::find(list, id, &Reference::id)->position;
  }

  struct Step {
    const PipelineNode* pipeline;
    const Reference* connector;  // That leads out of it.
  };

  void circles() {
    std::set<const PipelineNode*> done;
    for (const PipelineNode& pipeline : graph_.pipelines) {
      if (!walk(pipeline, done)) return;
    }
  }

  // False when a circle was found: the rest would mostly be the same one again.
  bool walk(const PipelineNode& pipeline, std::set<const PipelineNode*>& done) {
    const auto open = std::ranges::find(path_, &pipeline, &Step::pipeline);
    if (open != path_.end()) {
      report(static_cast<size_t>(open - path_.begin()));
      return false;
    }
    if (done.contains(&pipeline)) return true;
    for (const Reference& reference : pipeline.exporters) {
      const ComponentType* type = type_of(Section::Connectors, reference.id);
      if (!type) continue;
      path_.push_back({&pipeline, &reference});
      for (const PipelineNode& next : graph_.pipelines) {
        if (!names(next.receivers, reference.id)) continue;
        if (!connects(*type, signal_of(pipeline), signal_of(next))) continue;
        if (!walk(next, done)) return false;
      }
      path_.pop_back();
    }
    done.insert(&pipeline);
    return true;
  }

  void report(size_t first) {
    std::string message = "service::pipelines: data would go round in a circle: ";
    const auto arrow = [&](std::string text) {
      if (!message.ends_with(": ")) message += " -> ";
      message += text;
    };
    const auto connector = [&](const Step& step, const PipelineNode& to) {
      arrow("connector " + quoted(step.connector->id) + " (" + step.pipeline->signal + " to " +
            to.signal + ")");
    };
    const size_t size = path_.size() - first;
    for (size_t i = 0; i < size; ++i) {
      const PipelineNode& next = *path_[first + (i + 1) % size].pipeline;
      connector(path_[first + i], next);
      for (const Reference& r : next.processors) {
        arrow("processor " + quoted(r.id) + " in pipeline " + quoted(next.id));
      }
    }
    connector(path_[first], *path_[first + (1 % size)].pipeline);
    problems_.add(path_[first].connector->position, message);
  }

  const config::Graph& graph_;
  std::span<const ComponentType* const> types_;
  Problems problems_;
  std::map<const ComponentNode*, const ComponentType*> known_;
  std::set<const ComponentNode*> wrong_;  // Those whose settings are, whatever the signal.
  std::set<std::pair<const ComponentNode*, Signal>> asked_;
  std::vector<Step> path_;
};

}  // namespace

Result<> check_graph(const config::Graph& graph, std::span<const ComponentType* const> types) {
  return Check(graph, types).run();
}

Result<const ComponentType*> find_type(std::span<const ComponentType* const> types,
                                       const ComponentNode& node) {
  const Kind kind = kind_of(node.section);
  std::vector<std::string_view> known, spellings;
  for (const ComponentType* type : types) {
    if (type->kind != kind) continue;
    if (type->answers_to(node.type)) return type;
    known.push_back(type->name);
    spellings.push_back(type->name);
    spellings.insert(spellings.end(), type->aliases.begin(), type->aliases.end());
  }
  std::string message = std::string(section_name(node.section)) + ": unknown " +
                        std::string(kind_name(kind)) + " " + quoted(node.type);
  if (node.id != node.type) message += " of " + quoted(node.id);
  message += config::suggestion(node.type, spellings) + "; there are ";
  std::ranges::sort(known);
  for (const std::string_view name : known) {
    message += std::string(name == known.front() ? "" : ", ") + std::string(name);
  }
  if (known.empty()) message += "none";
  return config::fail_at(node.position, message);
}

}  // namespace sonde::pipeline
