// SPDX-License-Identifier: Apache-2.0
// The live book: what the page reads. Services, endpoints and edges in slots of 5 s, for 15
// minutes, and of services and edges the 15 minutes before in whole minutes, for comparison. All
// counts are capped; what does not fit goes to a row named "(other)". So are bytes: past half of
// them what comes is kept coarser, see BookLimits, and past all of them it is counted alone.
// Written by the exporter `rollup`, read by the extension `console`, which may run on other shards,
// hence the one lock. Whoever writes waits for a part of an answer at most, not for all of it; what
// is written between two parts is in the later one only. It is not a store: nothing survives the
// process.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "rollup/book_track.h"
#include "rollup/observation.h"

namespace sonde::rollup {

struct BookLimits {
  size_t services = 500;
  size_t endpoints_per_service = 100;
  size_t edges = 2000;  // And one from each service to "(other)".
  // Of what the book keeps. Past half of them requests are told apart by endpoint only where that
  // takes no further slot, quantiles are coarser (16 buckets a slot), and what is older than 5
  // minutes is kept in whole minutes. Past all of them a request is not entered.
  size_t bytes = 256 << 20;
};

struct ServiceRow {
  std::string name{}, service_namespace{}, language{}, unit{}, container{}, instrumented_by{},
      trust{};
  size_t instances = 0;
  uint64_t count = 0;  // Requests in the range.
  std::vector<AnswerRow> answers{};
  double rate = 0, error_share = 0;
  std::optional<double> p50{}, p95{}, p99{};
  std::vector<std::optional<double>>
      sparkline{};  // Requests a second per step; null before it was first seen.
  int64_t last_seen_ms = 0;
};
struct EndpointRow {
  std::string method{}, route{};
  uint64_t count = 0;
  std::vector<AnswerRow> answers{};
  double rate = 0, error_share = 0, total_s = 0, queue_s = 0;
  std::optional<double> p50{}, p95{}, p99{};
};
struct PeerRow {
  std::string peer{}, address{};
  std::string protocol{};  // "http", "redis"; several in one text: "http, redis".
  uint64_t count = 0;
  std::vector<AnswerRow> answers{};
  double rate = 0, error_share = 0;
  std::optional<double> p95{};
};
struct CalleeTime {
  std::string peer{};
  double seconds = 0, share = 0;
  uint64_t calls = 0;
};
struct TimeSpent {
  double total_s = 0, queue_s = 0, own_s = 0;
  std::vector<CalleeTime> callees{};  // Most time first.
};
struct SeriesPoint {
  int64_t time_ms = 0;
  std::optional<double> rate{}, errors{}, p50{}, p95{}, p99{};
};
struct ServiceAnswer {
  int64_t now_ms = 0, range_s = 0, step_s = 0;
  ServiceRow service{};
  std::vector<SeriesPoint> series{};
  std::vector<EndpointRow> endpoints{};
  std::vector<PeerRow> inbound{}, outbound{};
  TimeSpent spent{};
  std::optional<TimeSpent> baseline{};
  std::string verdict{};
};
struct ServicesAnswer {
  int64_t now_ms = 0, range_s = 0, step_s = 0;
  std::vector<ServiceRow> services{};
};
struct MapNode {
  std::string name{}, language{};
  bool external = false;
  uint64_t count = 0;
  double rate = 0, error_share = 0;
  std::optional<double> p95{};
};
struct MapEdge {
  std::string client{}, server{};
  std::string protocol{};  // As of PeerRow.
  uint64_t count = 0;
  std::vector<AnswerRow> answers{};
  double rate = 0, error_share = 0;
  std::optional<double> p95{};
};
struct MapAnswer {
  int64_t now_ms = 0, range_s = 0;
  std::vector<MapNode> nodes{};
  std::vector<MapEdge> edges{};
};

class Book {
 public:
  static constexpr int64_t kKeptSeconds = 15 * 60;  // The longest range.
  static constexpr int64_t kBaselineSeconds = 2 * kKeptSeconds;
  static constexpr std::string_view kOutside =
      "outside";  // Callers that no service here accounts for.
  static constexpr std::string_view kOther = "(other)";
  // Names, routes and addresses are cut to so many bytes, between characters of UTF-8.
  static constexpr size_t kMaxNameBytes = 256;

  explicit Book(BookLimits limits = {}) : limits_(limits) {}

  void describe(const ServiceFacts& facts, int64_t now_unix_ns);
  void observe(const Observation& o, int64_t now_unix_ns);

  ServicesAnswer services(int64_t range_s, int64_t now_unix_ns) const;
  std::optional<ServiceAnswer> service(std::string_view name, int64_t range_s,
                                       int64_t now_unix_ns) const;
  MapAnswer map(int64_t range_s, int64_t now_unix_ns) const;
  // Requests whose row is "(other)", and those that were not entered.
  uint64_t overflowed() const;
  uint64_t observed() const;
  size_t bytes() const;  // By its own account; malloc may keep more.

 private:
  struct Service {
    std::string service_namespace, language, unit, container, instrumented_by, trust;
    std::map<std::string, int64_t> instances;  // Id -> last second seen.
    std::map<std::pair<std::string, std::string>, Track> endpoints;
    Track track;
    int64_t first_s = 0, last_s = 0;
  };
  struct Edge {
    Track track;
    std::string address;
    std::string protocol;
    int64_t first_s = 0;
  };
  struct Window;
  class Writing;

  std::pair<const std::string, Service>& service_at(std::string_view name, int64_t second);
  Track& endpoint_at(Service& s, const Observation& o, int64_t at);
  std::string callee_of(const Observation& o) const;
  void add(Track& track, int64_t at, const Observation& o);
  bool pressed() const { return bytes_ >= limits_.bytes / 2; }
  void expire(int64_t now_s);
  void expire_parts(int64_t now_s, size_t parts);
  static size_t bytes_of(const Service& s);
  // Calls `fn` with the entries of a map, a few under the lock at a time, in their order.
  template <class Map, class Fn>
  void in_parts(const Map& map, Fn&& fn) const;
  std::unique_lock<std::mutex> reading() const;
  ServiceRow row(const std::string& name, const Service& s, const Window& w) const;

  mutable std::mutex mutex_;
  mutable std::atomic<int> writers_ = 0;  // That wait for the lock.
  BookLimits limits_;
  std::map<std::string, Service, std::less<>> services_;
  std::map<std::pair<std::string, std::string>, Edge> edges_;  // (client, server)
  std::map<int, std::string> listeners_;  // Port -> service, to name peers on this host.
  int64_t expired_s_ = 0;
  size_t part_ = 0;  // The next to expire.
  size_t bytes_ = 0;
  uint64_t overflowed_ = 0, observed_ = 0;
};

// One sentence naming the worst thing about a service in this range.
std::string verdict_of(const ServiceAnswer& answer, std::optional<double> baseline_p95);

}  // namespace sonde::rollup
