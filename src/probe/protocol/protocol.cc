// SPDX-License-Identifier: Apache-2.0
// The list of protocols, generated from the .def files of the folders beside this file.
#include "probe/protocol/protocol.h"

namespace sonde::probe {

#define PROTOCOL(id, name)                             \
  namespace name {                                     \
  std::unique_ptr<ConnectionParser> make_connection(); \
  }
#include "probe/probe_protocols.def"
#undef PROTOCOL

const Protocol* protocol_of(uint8_t id) {
  switch (id) {
#define PROTOCOL(number, name)                                         \
  case number: {                                                       \
    static constexpr Protocol kProtocol{#name, name::make_connection}; \
    return &kProtocol;                                                 \
  }
#include "probe/probe_protocols.def"
#undef PROTOCOL
    default:
      return nullptr;
  }
}

}  // namespace sonde::probe
