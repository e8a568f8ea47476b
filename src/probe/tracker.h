// SPDX-License-Identifier: Apache-2.0
// From raw socket events to finished requests: keeps the connections, feeds the parsers, times each
// exchange, joins both ends of a connection on this host, and finds the parent of a call where the
// process shows it beyond doubt. Passive and single-threaded: event() and tick() do all the work,
// time comes with them. Everything it holds is bounded and what it gives up is counted.
//
// A finished request is held for a moment before it is handed out, so that the event of the other
// end, which another processor may have reported a little later, can still join its trace.
#ifndef SONDE_PROBE_TRACKER_H
#define SONDE_PROBE_TRACKER_H

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "probe/bpf/event_abi.h"
#include "probe/filter.h"
#include "probe/finished_request.h"
#include "probe/own_end.h"
#include "probe/process_table.h"
#include "probe/protocol/protocol.h"
#include "probe/route.h"

namespace sonde::probe {

class RequestSink {
 public:
  virtual ~RequestSink() = default;
  virtual void request(const FinishedRequest& request) = 0;
  // The kernel need not report this process any more.
  virtual void excluded(uint32_t /*tgid*/) {}
  // It runs a new program, which no earlier decision holds for.
  virtual void executed(uint32_t /*tgid*/) {}
};

struct TrackerConfig {
  size_t max_connections = 65536;
  size_t max_open_requests = 65536;  // Open and held together.
  size_t max_joins = 65536;
  int64_t hold_ns = 100'000'000;
  // A connection that moved no byte for so long is reported as if it had been closed, since its
  // close may have been lost; a request without an answer has the error "timeout" then.
  int64_t idle_ns = 600'000'000'000;
  uint64_t seed = 0;      // 0: from the random device.
  uint32_t own_tgid = 0;  // Never reported.
  OwnEnd own_end;         // Nor what others say to it.
  Filter filter;
  RouteLimits routes;
};

struct TrackerStats {
  uint64_t connections_evicted = 0;
  uint64_t requests_evicted = 0;
  uint64_t requests = 0;
  uint64_t joined = 0;
  uint64_t gaps = 0;
  uint64_t routes_overflowed = 0;  // Requests whose path a limit of the routes hid.
  uint64_t own_connections = 0;    // Not reported, since their far end is Sonde itself.
};

class Tracker {
 public:
  Tracker(TrackerConfig config, ProcessTable& processes, RequestSink& sink);
  ~Tracker();

  void event(const sonde_event& event, std::string_view payload);
  // The payload lies behind the header, as the kernel reports it.
  void event(const sonde_event& event);
  // Difference of the wall clock and the monotonic clock that events carry.
  void set_clock_offset(int64_t unix_minus_monotonic_ns) { offset_ns_ = unix_minus_monotonic_ns; }
  void tick(int64_t monotonic_ns);
  // Hands out what is held, without waiting for the other end.
  void flush();

  const TrackerStats& stats() const { return stats_; }
  size_t connections() const { return connections_.size(); }
  size_t open_requests() const { return open_count_; }

 private:
  struct Trace;
  struct Request;
  struct Connection;
  struct JoinKey;
  struct JoinHash;
  struct Join;
  class Listener;

  void socket_event(const sonde_event& event, std::string_view payload);
  void feed(Connection& connection, const sonde_event& event, std::string_view payload);
  Connection* connection_of(const sonde_event& event);
  void evict(uint64_t cookie);
  void settle_joins();
  void drop(uint64_t cookie, int64_t now_ns, bool lost_end = false);
  void begin(Connection& connection, uint64_t serial, const RequestHead& head);
  void respond(Connection& connection, uint64_t serial, const ResponseHead& head);
  void finish(Connection& connection, uint64_t serial, const Finish& finish);
  void join(Connection& connection, const std::shared_ptr<Request>& request, uint32_t seq);
  void find_parent(const std::shared_ptr<Request>& request, uint32_t tid);
  void leave_thread(const Request& request);
  void emit(Request& request);
  uint64_t random();

  TrackerConfig config_;
  ProcessTable& processes_;
  RequestSink& sink_;
  Routes routes_;
  TrackerStats stats_;
  int64_t offset_ns_ = 0;
  int64_t now_ns_ = 0;
  int64_t last_sweep_ns_ = 0;
  uint64_t random_state_[2] = {};
  size_t open_count_ = 0;
  std::unordered_map<uint64_t, std::unique_ptr<Connection>> connections_;
  std::list<uint64_t> recent_;         // Cookies, most recent first.
  std::unordered_set<uint64_t> busy_;  // Connections with open requests.
  std::unordered_map<uint32_t, std::vector<std::shared_ptr<Request>>> threads_;
  std::unique_ptr<std::unordered_map<JoinKey, Join, JoinHash>> joins_;
  std::deque<JoinKey> join_order_;
  std::deque<std::shared_ptr<Request>> held_;
};

}  // namespace sonde::probe

#endif
