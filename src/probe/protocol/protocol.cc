// SPDX-License-Identifier: Apache-2.0
// The list of protocols, generated from the .def files of the folders beside this file.
#include "probe/protocol/protocol.h"

namespace sonde::probe {

#define PROTOCOL(number, name) \
  namespace name {             \
  const Protocol& protocol();  \
  }
#include "probe_protocols.def"
#undef PROTOCOL

std::string Protocol::span_name(const FinishedRequest& request) const {
  return request.route.empty() ? request.operation : request.operation + " " + request.route;
}

const Protocol* protocol_of(uint8_t number) {
  switch (number) {
#define PROTOCOL(its_number, name) \
  case its_number:                 \
    return &name::protocol();
#include "probe_protocols.def"
#undef PROTOCOL
    default:
      return nullptr;
  }
}

uint8_t protocol_number(std::string_view wanted) {
#define PROTOCOL(number, name) \
  if (wanted == #name) return number;
#include "probe_protocols.def"
#undef PROTOCOL
  return 0;
}

}  // namespace sonde::probe
