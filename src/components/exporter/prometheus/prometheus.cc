// SPDX-License-Identifier: Apache-2.0
// Serves the metrics it is given as a Prometheus scrape target. The translation is in metric_store;
// here is the listener.
#include <fmt/format.h>

#include <string>

#include "base/counters.h"
#include "components/exporter/prometheus/metric_store.h"
#include "net/http_server.h"
#include "pipeline/component.h"

namespace sonde {
namespace {

struct Config {
  std::string endpoint = "127.0.0.1:4401";
  std::string name_prefix;
  Duration metric_expiration = std::chrono::minutes(5);
  int64_t max_series = 100000;
};

constexpr auto kFields = config::fields<Config>(
    config::field("endpoint", &Config::endpoint, "Address that serves /metrics."),
    config::field("namespace", &Config::name_prefix, "Prefix of every metric name."),
    config::field("metric_expiration", &Config::metric_expiration,
                  "A series without a new point for so long is no longer shown.", {.min = 1}),
    config::field("max_series", &Config::max_series,
                  "Series shown at most; further ones are counted.", {.min = 1}));

class PrometheusExporter final : public pipeline::Component {
 public:
  PrometheusExporter(Config config, std::string_view, pipeline::Outputs)
      : config_(std::move(config)),
        store_({.max_series = static_cast<size_t>(config_.max_series),
                .expiry = config_.metric_expiration,
                .name_prefix = config_.name_prefix}) {}

  Result<> start(pipeline::Host& host) override {
    clock_ = &host.clock();
    const CounterLabels labels = {{"exporter", std::string(host.id())}};
    series_ = &gauge("sonde_prometheus_series", "Series shown by the prometheus exporter.", labels);
    refused_ = &counter("sonde_prometheus_refused_points_total",
                        "Points of series past the cap of the prometheus exporter.", labels);
    auto server =
        net::HttpServer::listen(host.loop(), config_.endpoint,
                                [this](const net::Request& request, net::Responder responder) {
                                  responder.respond(answer(request));
                                });
    if (!server) {
      Error error = server.error();
      error.message = fmt::format("exporters::{}::endpoint: {}", host.id(), error.message);
      return std::unexpected(std::move(error));
    }
    server_ = std::move(*server);
    return {};
  }

  void stop() override {
    if (server_) server_->drain();
  }
  bool drained() const override { return !server_ || server_->drained(); }

  void consume(Batch batch) override {
    const uint64_t before = store_.refused();
    store_.add(batch, clock_->unix_ns());
    refused_->add(store_.refused() - before);
    series_->set(static_cast<double>(store_.series()));
    batch.ack.deliver();
  }

 private:
  net::Response answer(const net::Request& request) {
    net::Response response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    if (request.path != "/metrics") {
      response.status = 404;
      response.body = "Only /metrics is served here.\n";
    } else if (request.method != "GET") {
      response.status = 405;
      response.body = "Only GET is answered here.\n";
    } else {
      response.body = store_.expose(clock_->unix_ns());
    }
    return response;
  }

  Config config_;
  MetricStore store_;
  const Clock* clock_ = nullptr;
  Gauge* series_ = nullptr;
  Counter* refused_ = nullptr;
  std::unique_ptr<net::HttpServer> server_;
};

}  // namespace
}  // namespace sonde

SONDE_COMPONENT(exporter, prometheus) {
  return sonde::pipeline::make_type<sonde::PrometheusExporter, sonde::Config>(
      {.kind = sonde::pipeline::Kind::Exporter,
       .name = "prometheus",
       .aliases = {},
       .summary = "Serves metrics for Prometheus to scrape.",
       .in = sonde::pipeline::kMetrics,
       .out = sonde::pipeline::kNoSignals,
       .create = {}},
      sonde::kFields.table());
}
