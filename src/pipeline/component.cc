// SPDX-License-Identifier: Apache-2.0
#include "pipeline/component.h"

#include <algorithm>

namespace sonde::pipeline {

void Component::consume(Batch batch) { batch.ack.drop("not_a_consumer"); }

void Outputs::send(Batch batch) const {
  if (Sink* sink = of(batch.signal)) {
    sink->consume(std::move(batch));
  } else {
    batch.ack.drop("nobody_wants_it");
  }
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
