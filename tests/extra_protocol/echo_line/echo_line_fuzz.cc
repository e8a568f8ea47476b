// SPDX-License-Identifier: Apache-2.0
// Any bytes in any pieces: every request is finished exactly once.
#include <cstdlib>
#include <set>

#include "probe/protocol/protocol.h"

namespace sonde::probe::echo_line {
const Protocol& protocol();
}

namespace {

using namespace sonde::probe;

struct Listener final : ExchangeListener {
  void on_request(uint64_t serial, const RequestHead&) override {
    if (!open.insert(serial).second) std::abort();
  }
  void on_response(uint64_t serial, const ResponseHead&) override {
    if (!open.contains(serial)) std::abort();
  }
  void on_finish(uint64_t serial, const Finish&) override {
    if (open.erase(serial) != 1) std::abort();
  }
  std::set<uint64_t> open;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto connection = echo_line::protocol().make_connection();
  Listener listener;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  while (rest.size() > 1) {
    Fragment fragment;
    const auto first = static_cast<unsigned char>(rest.front());
    fragment.received = (first & 1) != 0;
    fragment.gap_before = (first & 2) != 0;
    fragment.bytes = rest.substr(1, first >> 2);
    fragment.length = fragment.bytes.size();
    rest.remove_prefix(1 + fragment.bytes.size());
    connection->feed(fragment, listener);
  }
  connection->close(1, listener);
  if (!listener.open.empty()) std::abort();
  return 0;
}
