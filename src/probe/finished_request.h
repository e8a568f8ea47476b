// SPDX-License-Identifier: Apache-2.0
// One request and its answer as the tracker hands it out, seen from one end. What it means is the
// protocol's to say; nothing here is of one protocol.
#ifndef SONDE_PROBE_FINISHED_REQUEST_H
#define SONDE_PROBE_FINISHED_REQUEST_H

#include <array>
#include <cstdint>
#include <memory>
#include <string>

namespace sonde::probe {

class Protocol;
struct Process;

using TraceId = std::array<uint8_t, 16>;
using SpanId = std::array<uint8_t, 8>;

struct FinishedRequest {
  bool server = false;
  TraceId trace_id{};
  SpanId span_id{};
  SpanId parent_span_id{};  // All zero: none.
  bool has_parent = false;
  std::shared_ptr<const Process> process;
  int64_t start_unix_ns = 0;
  int64_t end_unix_ns = 0;
  int64_t queue_ns = -1;  // Of a server: from arrival in the kernel to the first read; -1 unknown.
  const Protocol* protocol = nullptr;  // Never null once it is handed out.
  // What the protocol makes of its head. The operation has few values; where what was sent is none
  // of them, `operation_original` has it. The route stands for the targets that are alike.
  std::string operation;
  std::string operation_original;
  std::string target;
  std::string route;
  std::string host;  // The peer's word.
  bool target_cut = false;
  int status = 0;  // 0: none was seen.
  std::string error_type;
  std::string local_address;
  std::string peer_address;
  uint16_t local_port = 0;
  uint16_t peer_port = 0;
  std::string peer_service;  // Joined on this host; empty is unknown.
  uint64_t request_bytes = 0;
  uint64_t response_bytes = 0;
};

}  // namespace sonde::probe

#endif
