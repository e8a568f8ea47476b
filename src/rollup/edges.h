// SPDX-License-Identifier: Apache-2.0
// Joins the two spans of one call, client and server, by trace id and the server's parent span id,
// into an edge of the service graph. Whichever half comes first waits a bounded time in a bounded
// table; a client that stays alone becomes an edge to a virtual node named after its peer, a server
// that stays alone becomes an edge from "user" when it is a root. A half that finds the table full,
// in halves or in bytes of their names, or whose own names are too long to wait, is resolved at
// once as if its time had run out. What waits is charged to the memory ledger.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/memory_ledger.h"

namespace sonde::rollup {

struct EdgeHalf {
  std::string_view trace_id{}, span_id{},
      parent_span_id{};  // Raw bytes; parent empty or zeros for a root.
  bool server = false;
  std::string_view service{}, service_namespace{};
  std::string_view peer{};  // Best name of the other side, empty when unknown.
  bool error = false;
  int64_t duration_ns = 0;
  int64_t end_unix_ns = 0;
};

// The views live as long as the call that gets it.
struct FinishedEdge {
  std::string_view client{}, client_namespace{}, server{}, server_namespace{};
  bool failed = false;
  bool virtual_node = false;
  double client_s = -1, server_s = -1;  // -1: that side was not seen.
  int64_t end_unix_ns = 0;
};

struct EdgesOptions {
  std::chrono::nanoseconds wait = std::chrono::seconds(10);
  size_t max_waiting = 10000;
  static constexpr size_t kBytesPerHalf = 2048;  // What the names of a half hold on average.
  static constexpr size_t kMaxHalfBytes = size_t{16} << 10;  // And what they hold at most.
};

class Edges {
 public:
  using Emit = std::move_only_function<void(const FinishedEdge&)>;
  Edges(EdgesOptions options, Emit emit) : options_(options), emit_(std::move(emit)) {}

  void add(const EdgeHalf& half, int64_t now_monotonic_ns);
  void tick(int64_t now_monotonic_ns);  // Resolves the halves whose time ran out.
  size_t waiting() const { return waiting_.size(); }
  uint64_t unpaired() const { return unpaired_; }

 private:
  struct Deadline {
    int64_t at;
    std::string key;
  };
  // What an edge is made of; the views are the caller's, or of the waiting half.
  struct Side {
    bool server = false, root = false, error = false;
    std::string_view service{}, service_namespace{}, peer{};
    double seconds = 0;
    int64_t end_unix_ns = 0;
    size_t bytes() const { return service.size() + service_namespace.size() + peer.size(); }
  };
  struct Waiting {
    Waiting(const Side& of, size_t bytes);
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    Side side;
    const std::string names;  // What the views of the side point into.
    std::list<Deadline>::iterator deadline;
    const MemoryCharge charge;
  };
  bool has_room(const Side& side, size_t bytes) const;
  void resolve_alone(const Side& side);
  EdgesOptions options_;
  Emit emit_;
  std::unordered_map<std::string, Waiting> waiting_;
  std::list<Deadline> order_;
  size_t bytes_ = 0;  // Of the keys and names of those that wait.
  uint64_t unpaired_ = 0;
};

}  // namespace sonde::rollup
