// SPDX-License-Identifier: Apache-2.0
// Who calls whom: joins client and server spans (rollup/edges) and counts requests, failures and
// both sides' durations per pair of services, as traces_service_graph_*. Peers that send no spans
// become virtual nodes. Bounded in waiting halves and in series; a batch is delivered when it was
// read.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/repeating_timer.h"
#include "data/metric_writer.h"
#include "data/trace_view.h"
#include "pipeline/component.h"
#include "pipeline/introspection/own_telemetry.h"
#include "rollup/edges.h"
#include "rollup/histogram.h"
#include "rollup/series_table.h"
#include "rollup/span_observation.h"

namespace sonde {
namespace {

struct Store {
  Duration ttl = std::chrono::seconds(10);
  int64_t max_items = 10000;
};
struct Config {
  Duration metrics_flush_interval = std::chrono::seconds(5);
  Duration metrics_expiration = std::chrono::minutes(5);
  int64_t max_series = 10000;
  Store store;
};

constexpr auto kStoreFields = config::fields<Store>(
    config::field("ttl", &Store::ttl, "How long one half of a call waits for the other.",
                  {.min = 0.01}),
    config::field("max_items", &Store::max_items, "Halves that wait at most.", {.min = 1}));
constexpr auto kFields = config::fields<Config>(
    config::field("metrics_flush_interval", &Config::metrics_flush_interval,
                  "How often the metrics are sent.", {.min = 0.01}),
    config::field("metrics_expiration", &Config::metrics_expiration,
                  "A pair without a call for so long is forgotten.", {.min = 1}),
    config::field("max_series", &Config::max_series,
                  "Pairs kept at most; the rest is counted in one overflow series.", {.min = 1}),
    config::field("store", &Config::store, kStoreFields.table(), "Where halves of calls wait."));

class ServiceGraphConnector final : public pipeline::Component {
 public:
  ServiceGraphConnector(Config config, std::string_view id, pipeline::Outputs outputs)
      : id_(id),
        config_(config),
        outputs_(outputs),
        edges_(
            {.wait = config.store.ttl, .max_waiting = static_cast<size_t>(config.store.max_items)},
            [this](const rollup::FinishedEdge& e) { count(e); }),
        table_(static_cast<size_t>(config.max_series)) {}

  Result<> start(pipeline::Host& host) override {
    scheduler_ = &host.scheduler();
    timer_.start(*scheduler_, config_.metrics_flush_interval, [this] { flush(); });
    return {};
  }

  void stop() override {
    if (!timer_.running()) return;
    timer_.stop();
    flush();
  }

  void consume(Batch batch) override {
    const int64_t now = scheduler_->clock().monotonic_ns();
    size_t counted = 0;
    for (const Bytes& chunk : batch.chunks) {
      std::optional<size_t> group;
      rollup::ServiceFacts service;
      auto walked =
          for_each_span(chunk, [&](const ResourceView& r, const ScopeView&, const SpanView& s) {
            if (group != r.group) service = rollup::facts_of(r);
            group = r.group;
            add(service, s, now);
            ++counted;
          });
      if (!walked) return refuse(std::move(batch), counted, std::move(walked.error()));
    }
    batch.ack.deliver();
  }

 private:
  enum { kClient, kClientNamespace, kServer, kServerNamespace, kType, kLabels };
  // What was whole before the fault is counted already; the rest of the batch is not.
  void refuse(Batch batch, size_t counted, Error error) {
    const size_t lost = std::max(batch.items(), counted + 1) - counted;
    pipeline::dropped_counter(id_, Signal::Traces, "malformed").add(lost);
    error.peer_code = 3;  // INVALID_ARGUMENT, 400 over HTTP: it is of no use to send it again.
    batch.ack.fail(at(id_, std::move(error)));
  }

  struct State {
    uint64_t total = 0, failed = 0;
    rollup::Histogram client{rollup::kDurationBounds}, server{rollup::kDurationBounds};
  };
  using Table = rollup::SeriesTable<State>;

  void add(const rollup::ServiceFacts& service, const SpanView& s, int64_t now) {
    auto o = rollup::observation_of(service, s);
    if (!o || s.trace_id.empty() || s.span_id.empty()) return;
    std::string peer(o->peer_service);
    if (peer.empty() && !o->server) {
      peer = o->server_address.empty() ? o->peer_address : o->server_address;
      int port = o->server_port ? o->server_port : o->peer_port;
      if (!peer.empty() && port && port != 80 && port != 443) peer += fmt::format(":{}", port);
    }
    rollup::EdgeHalf half;
    half.trace_id = s.trace_id;
    half.span_id = s.span_id;
    half.parent_span_id = s.parent_span_id;
    half.server = o->server;
    half.service = o->service;
    half.service_namespace = o->service_namespace;
    half.peer = peer;
    half.error = o->error;
    half.duration_ns = o->duration_ns;
    half.end_unix_ns = o->end_unix_ns;
    edges_.add(half, now);
  }

  void count(const rollup::FinishedEdge& e) {
    std::string_view values[kLabels] = {e.client, e.client_namespace, e.server, e.server_namespace,
                                        e.virtual_node ? "virtual_node" : ""};
    State& s = table_.at(values, scheduler_->clock().unix_ns()).state;
    s.total++;
    if (e.failed) s.failed++;
    if (e.client_s >= 0) s.client.record(e.client_s);
    if (e.server_s >= 0) s.server.record(e.server_s);
  }

  void flush() {
    const int64_t now = scheduler_->clock().unix_ns();
    edges_.tick(scheduler_->clock().monotonic_ns());
    table_.expire(now - config_.metrics_expiration.count());
    MetricBatchBuilder out;
    out.resource({}).scope("service_graph");
    auto time = [&](const Table::Series& s) {
      return PointTime{static_cast<uint64_t>(s.start_unix_ns), static_cast<uint64_t>(now)};
    };
    auto sum = [&](std::string_view name, uint64_t State::* which) {
      out.sum({.name = name});
      table_.for_each([&](const Table::Series& s) {
        out.point(attributes_of(s), static_cast<int64_t>(s.state.*which), time(s));
      });
    };
    auto histogram = [&](std::string_view name, rollup::Histogram State::* which) {
      out.histogram({.name = name, .unit = "s"});
      table_.for_each([&](const Table::Series& s) {
        const rollup::Histogram& h = s.state.*which;
        if (h.count() == 0) return;
        out.histogram_point(
            attributes_of(s),
            {.count = h.count(), .sum = h.sum(), .bounds = h.bounds(), .buckets = h.counts()},
            time(s));
      });
    };
    sum("traces_service_graph_request_total", &State::total);
    sum("traces_service_graph_request_failed_total", &State::failed);
    histogram("traces_service_graph_request_client", &State::client);
    histogram("traces_service_graph_request_server", &State::server);
    if (!out.empty()) outputs_.send(out.build());
  }

  static std::vector<Attribute> attributes_of(const Table::Series& s) {
    if (s.overflow) return {{rollup::kOverflowLabel, true}};
    std::vector<Attribute> out;
    constexpr std::string_view kKeys[kLabels] = {"client", "client_service_namespace", "server",
                                                 "server_service_namespace", "connection_type"};
    for (size_t i = 0; i < kLabels; i++) {
      if (!s.values[i].empty()) out.push_back({kKeys[i], std::string_view(s.values[i])});
    }
    out.push_back({"source", std::string_view("sonde")});
    return out;
  }

  const std::string id_;
  Config config_;
  pipeline::Outputs outputs_;
  rollup::Edges edges_;
  Table table_;
  Scheduler* scheduler_ = nullptr;
  RepeatingTimer timer_;
};

}  // namespace
}  // namespace sonde

SONDE_COMPONENT(connector, service_graph) {
  return sonde::pipeline::make_type<sonde::ServiceGraphConnector, sonde::Config>(
      {.kind = sonde::pipeline::Kind::Connector,
       .name = "service_graph",
       .aliases = {"servicegraph"},
       .summary = "Counts calls between services from their client and server spans.",
       .in = sonde::pipeline::kTraces,
       .out = sonde::pipeline::kMetrics,
       .create = {}},
      sonde::kFields.table());
}
