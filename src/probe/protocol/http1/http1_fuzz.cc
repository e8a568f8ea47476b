// SPDX-License-Identifier: Apache-2.0
// Feeds arbitrary fragments of both directions: every request that was announced must be finished
// exactly once, whatever the peers send and whatever was lost.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "probe/protocol/http1/connection.h"

namespace {

struct Balance final : sonde::probe::ExchangeListener {
  void on_request(uint64_t, const sonde::probe::RequestHead&) override { ++open; }
  void on_response(uint64_t, const sonde::probe::ResponseHead&) override {}
  void on_finish(uint64_t, const sonde::probe::Finish&) override { --open; }
  int64_t open = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  sonde::probe::http1::Connection connection;
  Balance balance;
  size_t at = 0;
  int64_t now = 0;
  // Each fragment: a byte of flags, a byte of captured length, a byte of hidden length, the bytes.
  while (at + 3 <= size) {
    const uint8_t flags = data[at];
    size_t captured = data[at + 1];
    const size_t hidden = (flags & 8) != 0 ? size_t{data[at + 2]} << 4 : 0;
    at += 3;
    captured = captured < size - at ? captured : size - at;
    sonde::probe::Fragment fragment;
    fragment.received = (flags & 1) != 0;
    fragment.turn_start = (flags & 2) != 0;
    fragment.gap_before = (flags & 4) != 0;
    fragment.lost_before = (flags & 16) != 0 ? flags : 0;
    fragment.bytes = {reinterpret_cast<const char*>(data + at), captured};
    fragment.length = captured + hidden;
    fragment.stamp.time_ns = now += 1000;
    fragment.stamp.seq = 1;
    at += captured;
    connection.feed(fragment, balance);
    if ((flags & 32) != 0) connection.tick(now += 300'000'000, balance);
    if (balance.open < 0 || balance.open > 256) std::abort();
  }
  connection.close(now, balance);
  if (balance.open != 0) std::abort();
  return 0;
}
