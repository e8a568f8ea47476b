// SPDX-License-Identifier: Apache-2.0
#include "pipeline/component.h"

#include <algorithm>

namespace sonde::pipeline {

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

Result<const PipelineOutput*> Outputs::pipeline(std::string_view id) const {
  std::string known;
  for (const PipelineOutput& output : pipelines) {
    if (output.id == id) return &output;
    known += (known.empty() ? "" : ", ") + output.id;
  }
  return fail(ErrorKind::NotFound,
              "no pipeline " + std::string(id) +
                  " begins with this connector; these do: " + (known.empty() ? "none" : known));
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
