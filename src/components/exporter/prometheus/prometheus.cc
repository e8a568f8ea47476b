// SPDX-License-Identifier: Apache-2.0
// Serves the metrics it is given as a Prometheus scrape target. The translation is in metric_store;
// here is the listener.
#include <fmt/format.h>

#include <array>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "base/counters.h"
#include "base/memory_ledger.h"
#include "components/exporter/prometheus/metric_store.h"
#include "components/exporter/prometheus/names.h"
#include "net/http/http_server.h"
#include "pipeline/component.h"
#include "pipeline/settings/http_server_settings.h"

namespace sonde {
namespace {

struct ResourceToTelemetry {
  bool enabled = false;
  bool exclude_service_attributes = false;
};
constexpr auto kResourceFields = config::fields<ResourceToTelemetry>(
    config::field("enabled", &ResourceToTelemetry::enabled,
                  "Make every attribute of the resource a label of its series."),
    config::field("exclude_service_attributes", &ResourceToTelemetry::exclude_service_attributes,
                  "But not service.name, service.namespace and service.instance.id."));

struct Config {
  pipeline::HttpServerSettings server;
  std::string name_prefix;
  std::map<std::string, std::string> const_labels;
  bool send_timestamps = false;
  Duration metric_expiration = std::chrono::minutes(5);
  ResourceToTelemetry resource;
  bool enable_open_metrics = false;
  bool without_scope_info = false;
  bool add_metric_suffixes = true;
  std::string translation_strategy;
  int64_t max_series = 100000;

  Result<> validate() const {
    if (server.endpoint.empty()) {
      return fail(ErrorKind::Invalid, "\"endpoint\" is required: where /metrics is served");
    }
    return pipeline::check_http_server(server);
  }
  prometheus::MetricNaming naming() const {
    const std::string_view how = translation_strategy;
    return {.prefix = name_prefix,
            .suffixes = how.empty() ? add_metric_suffixes : how.ends_with("WithSuffixes"),
            .utf8 = how == "NoTranslation" || how == "NoUTF8EscapingWithSuffixes"};
  }
};

constexpr auto kFields = config::fields<Config>(
    config::embed(&Config::server, pipeline::kHttpServerFields),
    config::field("namespace", &Config::name_prefix, "Prefix of every metric name."),
    config::field("const_labels", &Config::const_labels, "Labels of every series."),
    config::field("send_timestamps", &Config::send_timestamps,
                  "Show the time of each point after its value."),
    config::field("metric_expiration", &Config::metric_expiration,
                  "A series without a new point for so long is no longer shown.", {.min = 1}),
    config::field("resource_to_telemetry_conversion", &Config::resource, kResourceFields.table(),
                  "What of the resource every series shows."),
    config::field("enable_open_metrics", &Config::enable_open_metrics,
                  "Answer in the OpenMetrics format, with exemplars, who asks for it."),
    config::field("without_scope_info", &Config::without_scope_info,
                  "Leave out the labels otel_scope_name and its like."),
    config::field("add_metric_suffixes", &Config::add_metric_suffixes,
                  "Add units and _total to names; translation_strategy wins over it."),
    config::field("translation_strategy", &Config::translation_strategy,
                  "How names become Prometheus names: with every character that Prometheus 2 does "
                  "not take as '_', or as they are; with units and _total, or without.",
                  {.choices = "|UnderscoreEscapingWithSuffixes|UnderscoreEscapingWithoutSuffixes|"
                              "NoUTF8EscapingWithSuffixes|NoTranslation"}),
    config::field("max_series", &Config::max_series,
                  "Series shown at most; further ones are counted.", {.min = 1}));

// Pages are as large as what they tell of, and who scrapes may read slowly.
constexpr size_t kMostUnderWay = size_t{64} << 20;  // Bytes.
constexpr size_t kLeastUnderWay = 4;                // Pages, however large.

struct UnderWay {
  size_t pages = 0;
  size_t bytes = 0;
};
// A page that was not sent to its end.
class Page {
 public:
  Page(std::shared_ptr<UnderWay> all, size_t bytes)
      : all_(std::move(all)), bytes_(bytes), charge_(bytes) {
    all_->pages++;
    all_->bytes += bytes_;
  }
  ~Page() {
    all_->pages--;
    all_->bytes -= bytes_;
  }
  Page(const Page&) = delete;
  Page& operator=(const Page&) = delete;

 private:
  const std::shared_ptr<UnderWay> all_;
  const size_t bytes_;
  const MemoryCharge charge_;
};

class PrometheusExporter final : public pipeline::Component {
 public:
  PrometheusExporter(Config config, std::string_view, pipeline::Outputs)
      : config_(std::move(config)),
        store_({.max_series = static_cast<size_t>(config_.max_series),
                .expiry = config_.metric_expiration,
                .naming = config_.naming(),
                .const_labels = config_.const_labels,
                .scope_labels = !config_.without_scope_info,
                .resource_labels = config_.resource.enabled,
                .service_labels = !config_.resource.exclude_service_attributes,
                .exemplars = config_.enable_open_metrics}) {}

  Result<> start(pipeline::Host& host) override {
    clock_ = &host.clock();
    CounterLabels labels = {{"exporter", std::string(host.id())}};
    series_ = &gauge("sonde_prometheus_series", "Series shown by the prometheus exporter.", labels);
    older_ = &counter("sonde_prometheus_older_points_total",
                      "Points that came after a later one of their series.", labels);
    labels.emplace_back("reason", "");
    for (Refused& refused : refused_) {
      labels.back().second = refused.reason;
      refused.counter =
          &counter("sonde_prometheus_refused_points_total",
                   "Points that the prometheus exporter does not show, by reason.", labels);
    }
    auto server = listen(host.loop());
    if (!server) {
      return std::unexpected(
          at(fmt::format("exporters::{}::endpoint", host.id()), std::move(server.error())));
    }
    server_ = std::move(*server);
    return {};
  }

  void stop() override {
    if (server_) server_->drain();
  }
  bool drained() const override { return !server_ || server_->drained(); }

  void consume(Batch batch) override {
    store_.add(batch, clock_->unix_ns());
    const uint64_t older = store_.older();
    older_->add(older - std::exchange(older_counted_, older));
    for (Refused& refused : refused_) {
      const uint64_t now = store_.refused(refused.why);
      refused.counter->add(now - std::exchange(refused.counted, now));
    }
    series_->set(static_cast<double>(store_.series()));
    batch.ack.deliver();
  }

 private:
  struct Refused {
    MetricStore::Refusal why;
    std::string_view reason;
    uint64_t counted = 0;
    Counter* counter = nullptr;
  };

  Result<std::unique_ptr<net::HttpServer>> listen(net::Loop& loop) {
    auto options = TRY(pipeline::http_server_options(config_.server));
    return net::HttpServer::listen(
        loop, pipeline::listen_address(config_.server.transport, config_.server.endpoint),
        [this](const net::Request& request, net::Responder responder) {
          responder.respond(answer(request));
        },
        std::move(options));
  }

  net::Response answer(const net::Request& request) {
    const prometheus::Exposition asked =
        prometheus::negotiate(request.header("accept"), config_.enable_open_metrics);
    net::Response response;
    response.content_type = asked.content_type();
    if (request.path != "/metrics") {
      response.status = 404;
      response.body = "Only /metrics is served here.\n";
    } else if (request.method != "GET") {
      response.status = 405;
      response.body = "Only GET is answered here.\n";
    } else if (under_way_->pages >= kLeastUnderWay &&
               under_way_->bytes + store_.page_bytes() > kMostUnderWay) {
      response.status = 503;
      response.body = "Too many scrapes are under way.\n";
    } else {
      response.body = store_.expose(clock_->unix_ns(), {.open_metrics = asked.open_metrics,
                                                        .timestamps = config_.send_timestamps,
                                                        .escaping = asked.escaping});
      response.held = std::make_shared<const Page>(under_way_, response.body.capacity());
    }
    return response;
  }

  Config config_;
  MetricStore store_;
  const std::shared_ptr<UnderWay> under_way_ = std::make_shared<UnderWay>();
  const Clock* clock_ = nullptr;
  Gauge* series_ = nullptr;
  Counter* older_ = nullptr;
  uint64_t older_counted_ = 0;
  std::array<Refused, 4> refused_{{{.why = MetricStore::Refusal::Full, .reason = "max_series"},
                                   {.why = MetricStore::Refusal::OtherType, .reason = "type"},
                                   {.why = MetricStore::Refusal::NoName, .reason = "name"},
                                   {.why = MetricStore::Refusal::LongLabels, .reason = "labels"}}};
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
