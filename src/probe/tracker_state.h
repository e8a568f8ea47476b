// SPDX-License-Identifier: Apache-2.0
// What the tracker holds, shared by its two source files and nobody else.
#ifndef SONDE_PROBE_TRACKER_STATE_H
#define SONDE_PROBE_TRACKER_STATE_H

#include <cstring>

#include "probe/tracker.h"

namespace sonde::probe {

inline uint64_t split_mix(uint64_t& state) {
  uint64_t z = (state += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

struct Tracker::Trace {
  TraceId id{};
  std::shared_ptr<Trace> forward;  // Part of a trace that was found later.
};

struct Tracker::Request {
  FinishedRequest out;
  std::shared_ptr<Process> process;
  std::shared_ptr<Process> peer;  // Of the other end, where that was seen.
  std::shared_ptr<Trace> trace;
  uint32_t tid = 0;
  bool on_thread = false;
  int64_t due_ns = 0;
};

struct Tracker::Connection {
  uint64_t cookie = 0;
  std::unique_ptr<ConnectionParser> parser;
  const Protocol* protocol = nullptr;
  bool ignored = false;  // Kept only to be recognised.
  bool silent = false;   // Ended for want of any byte, not because it was closed.
  // Its last bytes found no room on their way here: there may have been an answer among them.
  bool lost_end = false;
  // Bytes too few to tell the protocol (Go and PHP read one first); fed once it is known.
  std::vector<std::pair<sonde_event, std::string>> early;
  sonde_event last{};
  int64_t last_ns = 0;
  bool seen[2] = {};
  uint64_t next_offset[2] = {};
  std::deque<std::pair<uint64_t, std::shared_ptr<Request>>> open;
  std::list<uint64_t>::iterator recent;
};

struct Tracker::JoinKey {
  std::array<uint8_t, 16> client_addr{};
  std::array<uint8_t, 16> server_addr{};
  uint16_t client_port = 0;
  uint16_t server_port = 0;
  uint32_t seq = 0;
  uint32_t network = 0;  // Of loopback addresses, which every network namespace has.
  bool operator==(const JoinKey&) const = default;
};

struct Tracker::JoinHash {
  size_t operator()(const JoinKey& key) const {
    uint64_t a = 0;
    uint64_t b = 0;
    std::memcpy(&a, key.client_addr.data() + 8, 8);
    std::memcpy(&b, key.server_addr.data() + 8, 8);
    uint64_t state = a ^ (b * 31) ^ (uint64_t{key.client_port} << 48) ^
                     (uint64_t{key.server_port} << 32) ^ key.seq;
    return split_mix(state);
  }
};

struct Tracker::Join {
  std::shared_ptr<Request> client;
  std::shared_ptr<Request> server;
  int64_t since_ns = 0;
};

}  // namespace sonde::probe

#endif
