// SPDX-License-Identifier: Apache-2.0
#include "pipeline/component.h"

#include <algorithm>

namespace sonde::pipeline {
namespace {

// A connector has an instance a signal, and the settings of one serve all of them.
std::string missing(std::string_view id, std::span<const PipelineOutput> pipelines) {
  std::string known;
  for (const PipelineOutput& output : pipelines) {
    known += (known.empty() ? "" : ", ") + output.id;
  }
  std::string_view signal;
  if (!pipelines.empty()) signal = to_string(pipelines.front().signal);
  const bool other = !signal.empty() && id.substr(0, id.find('/')) != signal;
  return "no pipeline " + std::string(id) + " begins with this connector" +
         (other ? " where it ends pipelines of " + std::string(signal) : std::string()) +
         "; these do: " + (known.empty() ? "none" : known) +
         (other ? "; each signal needs a connector of its own" : "");
}

}  // namespace

void Component::consume(Batch batch) { batch.ack.drop("not_a_consumer"); }

bool Outputs::look_inside() const {
  for (const Sink* sink : {traces, metrics, logs}) {
    if (sink && sink->looks_inside()) return true;
  }
  return false;
}

void Outputs::send(Batch batch) const {
  if (Sink* sink = of(batch.signal)) {
    sink->consume(std::move(batch));
  } else {
    batch.ack.drop("nobody_wants_it");
  }
}

Result<std::vector<Sink*>> Outputs::sinks(std::span<const std::string> pipeline_ids) const {
  std::vector<Sink*> out;
  for (const std::string& id : pipeline_ids) {
    const auto found = std::ranges::find(pipelines, id, &PipelineOutput::id);
    if (found == pipelines.end()) return fail(ErrorKind::NotFound, missing(id, pipelines));
    out.push_back(found->sink);
  }
  return out;
}

void send_to_all(const std::vector<Sink*>& sinks, Batch batch) {
  (void)batch.items();  // Counted once for every sink.
  for (size_t i = 0; i + 1 < sinks.size(); ++i) sinks[i]->consume(batch.share());
  sinks.back()->consume(std::move(batch));
}

bool ComponentType::answers_to(std::string_view type) const {
  return type == name || std::ranges::find(aliases, type) != aliases.end();
}

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::Receiver:
      return "receiver";
    case Kind::Processor:
      return "processor";
    case Kind::Exporter:
      return "exporter";
    case Kind::Connector:
      return "connector";
    case Kind::Extension:
      return "extension";
  }
  return "";
}

}  // namespace sonde::pipeline
