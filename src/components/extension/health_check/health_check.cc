// SPDX-License-Identifier: Apache-2.0
//
// The extension `health_check`: says over HTTP whether all components have started, as probes of
// Kubernetes and load balancers ask. It says nothing of how components fare afterwards: that is
// `healthcheckv2`. Answers are those of the Collector 0.158 with its gate
// extension.healthcheck.useComponentStatus off.
#include "base/json_writer.h"
#include "base/log.h"
#include "base/rfc3339.h"
#include "pipeline/component.h"
#include "pipeline/side_server.h"

namespace sonde {
namespace {

struct ResponseBody {
  std::string healthy;
  std::string unhealthy;
};
struct CheckCollectorPipeline {
  bool enabled = false;
  std::string interval = "5m";
  int64_t exporter_failure_threshold = 5;
};
struct ComponentHealth {
  bool include_permanent_errors = false;
  bool include_recoverable_errors = false;
  Duration recovery_duration = std::chrono::minutes(5);
};
struct Config {
  pipeline::HttpServerSettings server{.endpoint = "localhost:13133", .keep_alives_enabled = false};
  std::string path = "/";
  std::optional<ResponseBody> response_body;
  CheckCollectorPipeline check_collector_pipeline;
  std::optional<ComponentHealth> component_health;
  bool use_v2 = false;
  config::Value http;
  config::Value grpc;

  Result<> validate() const {
    if (server.endpoint.empty()) return fail(ErrorKind::Invalid, "http endpoint required");
    if (!path.starts_with('/')) return fail(ErrorKind::Invalid, "path must start with /");
    const auto given = [](const config::Value& v) { return !v.is_null(); };
    if (use_v2 || given(http) || given(grpc)) {
      return fail(ErrorKind::Invalid,
                  "use_v2, http and grpc are settings of the extension healthcheckv2: name that");
    }
    return pipeline::check_http_server(server);
  }
};

constexpr auto kBodyFields = config::fields<ResponseBody>(
    config::field("healthy", &ResponseBody::healthy, "The body of a 200."),
    config::field("unhealthy", &ResponseBody::unhealthy, "The body of a 503."));
constexpr auto kCheckFields = config::fields<CheckCollectorPipeline>(
    config::field("enabled", &CheckCollectorPipeline::enabled, "No effect."),
    config::field("interval", &CheckCollectorPipeline::interval, "No effect."),
    config::field("exporter_failure_threshold", &CheckCollectorPipeline::exporter_failure_threshold,
                  "No effect."));
constexpr auto kHealthFields = config::fields<ComponentHealth>(
    config::field("include_permanent_errors", &ComponentHealth::include_permanent_errors,
                  "No effect."),
    config::field("include_recoverable_errors", &ComponentHealth::include_recoverable_errors,
                  "No effect."),
    config::field("recovery_duration", &ComponentHealth::recovery_duration, "No effect."));
constexpr auto kFields = config::fields<Config>(
    config::embed(&Config::server, pipeline::kHttpServerFields),
    config::field("path", &Config::path,
                  "What is answered; one that ends in / stands for all below it too."),
    config::field("response_body", &Config::response_body, kBodyFields,
                  "Bodies in place of the JSON.", {.pointer = true}),
    config::field("check_collector_pipeline", &Config::check_collector_pipeline, kCheckFields,
                  "Taken and without effect, as in the Collector: see healthcheckv2."),
    config::field("component_health", &Config::component_health, kHealthFields.table(),
                  "Taken and without effect, as in the Collector without use_v2: see "
                  "healthcheckv2.",
                  {.null_is_absent = true}),
    config::field("use_v2", &Config::use_v2, "Refused: see healthcheckv2."),
    config::field("http", &Config::http, "Refused: see healthcheckv2."),
    config::field("grpc", &Config::grpc, "Refused: see healthcheckv2."));

class HealthCheck final : public pipeline::Component {
 public:
  HealthCheck(Config config, std::string_view, pipeline::Outputs) : config_(std::move(config)) {}

  Result<> start(pipeline::Host& host) override {
    if (config_.check_collector_pipeline.enabled) {
      log_warn(
          "{}: check_collector_pipeline has no effect; healthcheckv2 knows how components fare",
          host.id());
    }
    if (config_.component_health) {
      log_warn("{}: component_health has no effect; healthcheckv2 knows how components fare",
               host.id());
    }
    clock_ = &host.clock();
    board_ = host.lease<pipeline::StatusBoard>(
        pipeline::kStatusBoard, [] { return std::make_shared<pipeline::StatusBoard>(); });
    server_ = TRY(pipeline::serve_beside(
        host, config_.server, [this](const net::Request& request, net::Responder responder) {
          responder.respond(answer(request));
        }));
    return {};
  }
  void stop() override {
    if (server_) server_->drain();
  }
  bool drained() const override { return !server_ || server_->drained(); }

 private:
  bool serves(std::string_view path) const {
    return config_.path.ends_with('/') ? path.starts_with(config_.path) : path == config_.path;
  }

  net::Response answer(const net::Request& request) const {
    if (!serves(request.path)) {
      return pipeline::no_such_page();
    }
    const std::optional<int64_t> since = board_->ready_since();
    const int status = since ? 200 : 503;
    if (const auto& body = config_.response_body) {
      return {status, "text/plain; charset=utf-8", since ? body->healthy : body->unhealthy, {}};
    }
    JsonWriter json;
    json.object().member("status", since ? "Server available" : "Server not available");
    json.member("upSince", since ? format_rfc3339(*since) : "0001-01-01T00:00:00Z");
    const int64_t up = since ? std::max<int64_t>(0, clock_->unix_ns() - *since) : 0;
    json.member("uptime", since ? config::format_duration(Duration(up)) : "").end();
    return {status, "application/json", json.take(), {}};
  }

  const Config config_;
  const Clock* clock_ = nullptr;
  std::shared_ptr<pipeline::StatusBoard> board_;
  std::unique_ptr<net::HttpServer> server_;
};

}  // namespace
}  // namespace sonde

SONDE_COMPONENT(extension, health_check) {
  using namespace sonde;
  return pipeline::make_type<HealthCheck, Config>(
      {.kind = pipeline::Kind::Extension,
       .name = "health_check",
       .summary = "Says over HTTP whether everything has started.",
       .stability = "alpha"},
      kFields.table());
}
