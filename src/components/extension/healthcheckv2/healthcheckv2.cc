// SPDX-License-Identifier: Apache-2.0
//
// The extension `healthcheckv2`: how the process and each of its pipelines fare, over HTTP as JSON
// and over gRPC as the service grpc.health.v1.Health, made from the status that components report.
// Answers are those of the Collector 0.158; without use_v2 they have the form of health_check's.
#include "base/log.h"
#include "components/extension/healthcheckv2/answers.h"
#include "components/extension/healthcheckv2/grpc_health.h"
#include "components/extension/healthcheckv2/settings.h"
#include "components/extension/healthcheckv2/watchers.h"
#include "net/grpc/grpc_server.h"
#include "pipeline/component.h"
#include "pipeline/introspection/process_facts.h"
#include "pipeline/side_server.h"

namespace sonde::healthcheckv2 {
namespace {

class HealthCheckV2 final : public pipeline::Component {
 public:
  HealthCheckV2(Config config, std::string_view, pipeline::Outputs) : config_(std::move(config)) {}

  Result<> start(pipeline::Host& host) override {
    if (config_.check_collector_pipeline.enabled) {
      log_warn("{}: check_collector_pipeline has no effect; use_v2 tells how components fare",
               host.id());
    }
    clock_ = &host.clock();
    started_unix_ns_ = clock_->unix_ns();
    statuses_ = board<pipeline::StatusBoard>(host, pipeline::kStatusBoard);
    topology_ = board<pipeline::TopologyBoard>(host, pipeline::kTopologyBoard);
    facts_ = board<pipeline::ProcessFactsBoard>(host, pipeline::kProcessFacts);
    if (!config_.use_v2) return serve_http(host, config_.server, "");
    if (config_.http) TRY(serve_http(host, config_.http->server, "http"));
    if (config_.grpc) TRY(serve_grpc(host, *config_.grpc));
    return {};
  }

  void stop() override {
    http_.reset();
    if (watchers_) watchers_->close();
    if (grpc_) grpc_->drain();  // So that those who watch are told.
  }
  bool drained() const override { return !grpc_ || grpc_->drained(); }

 private:
  template <class Board>
  static std::shared_ptr<Board> board(pipeline::Host& host, std::string_view identity) {
    return host.lease<Board>(identity, [] { return std::make_shared<Board>(); });
  }

  Result<> serve_http(pipeline::Host& host, const pipeline::HttpServerSettings& settings,
                      std::string_view path) {
    auto server = pipeline::serve_beside(
        host, settings, [this](const net::Request& request, net::Responder responder) {
          responder.respond(config_.use_v2 ? answer(request) : plain(request));
        });
    if (!server) {
      return path.empty() ? std::unexpected(std::move(server.error()))
                          : std::unexpected(at(path, std::move(server.error())));
    }
    http_ = std::move(*server);
    return {};
  }

  Result<> serve_grpc(pipeline::Host& host, const Grpc& settings) {
    watchers_ =
        std::make_unique<Watchers>(host.scheduler(), config_.rule(), [this] { return health(); });
    net::GrpcServerOptions options;
    options.max_message = 64 * 1024;
    options.max_concurrent_streams = 100;
    options.max_connections = 256;
    options.keep_metadata = false;
    if (settings.tls) {
      auto tls = net::make_tls_server(*settings.tls);
      if (!tls) return std::unexpected(at("grpc", std::move(tls.error())));
      options.tls = std::move(*tls);
    }
    auto server = net::GrpcServer::listen(
        host.loop(), pipeline::listen_address(settings.transport, settings.endpoint),
        [this](net::GrpcRequest request, net::GrpcResponder responder) {
          call(request, std::move(responder));
        },
        std::move(options));
    if (!server) return std::unexpected(at("grpc::endpoint", std::move(server.error())));
    grpc_ = std::move(*server);
    return {};
  }

  pipeline::Health health() const {
    const auto& rule = config_.component_health;
    const bool recoverable_first =
        rule && rule->include_recoverable_errors && !rule->include_permanent_errors;
    auto all = pipeline::health_of(
        *topology_->read(), statuses_->read(), statuses_->ready_since().has_value(),
        recoverable_first ? pipeline::WorseError::Recoverable : pipeline::WorseError::Permanent);
    if (all.parts.empty()) all.since_unix_ns = started_unix_ns_;
    return all;
  }

  net::Response answer(const net::Request& request) const {
    const Http& http = *config_.http;
    if (http.status.enabled && request.path == http.status.path) {
      std::optional<pipeline::HealthRule> rule;
      if (config_.component_health) rule = config_.rule();
      return status_answer(health(), read_question(request), rule, started_unix_ns_,
                           clock_->unix_ns());
    }
    if (http.config.enabled && request.path == http.config.path) {
      const auto facts = facts_->read();
      if (facts->configuration_json.empty()) return {503, "", "", {}};
      return {200, "application/json", facts->configuration_json, {}};
    }
    return pipeline::no_such_page();
  }

  net::Response plain(const net::Request& request) const {
    const std::string& path = config_.path;
    if (path.ends_with('/') ? !request.path.starts_with(path) : request.path != path) {
      return pipeline::no_such_page();
    }
    std::optional<PlainBodies> bodies;
    if (const auto& own = config_.response_body) bodies = {own->healthy, own->unhealthy};
    return plain_answer(health(), read_question(request), bodies, started_unix_ns_,
                        clock_->unix_ns());
  }

  void call(const net::GrpcRequest& request, net::GrpcResponder responder) {
    using net::GrpcCode;
    constexpr std::string_view kService = "/grpc.health.v1.Health/";
    std::string_view method = request.path;
    if (method.starts_with(kService)) method.remove_prefix(kService.size());
    if (method != "Check" && method != "Watch") {
      return responder.fail(
          {GrpcCode::Unimplemented, "there are only Check and Watch of grpc.health.v1.Health", {}});
    }
    if (!request.encoding.empty()) {
      return responder.fail({GrpcCode::Unimplemented, "a compressed health check", {}});
    }
    auto service = decode_request(request.message.view());
    if (!service) return responder.fail({GrpcCode::Internal, service.error().message, {}});
    if (method == "Watch") return watchers_->add(std::move(*service), std::move(responder));
    const pipeline::Health all = health();
    const pipeline::Health* scope = pipeline::scope_of(all, *service);
    if (!scope) return responder.fail({GrpcCode::NotFound, "Service not found.", {}});
    responder.respond(
        Bytes::take(encode_response(serving_of(*scope, config_.rule(), clock_->unix_ns()))));
  }

  const Config config_;
  const Clock* clock_ = nullptr;
  int64_t started_unix_ns_ = 0;
  std::shared_ptr<pipeline::StatusBoard> statuses_;
  std::shared_ptr<pipeline::TopologyBoard> topology_;
  std::shared_ptr<pipeline::ProcessFactsBoard> facts_;
  std::unique_ptr<Watchers> watchers_;
  std::unique_ptr<net::HttpServer> http_;
  std::unique_ptr<net::GrpcServer> grpc_;
};

}  // namespace
}  // namespace sonde::healthcheckv2

SONDE_COMPONENT(extension, healthcheckv2) {
  using namespace sonde;
  return pipeline::make_type<healthcheckv2::HealthCheckV2, healthcheckv2::Config>(
      {.kind = pipeline::Kind::Extension,
       .name = "healthcheckv2",
       .summary = "Says over HTTP and gRPC how the process and its pipelines fare.",
       .stability = "alpha"},
      healthcheckv2::kFields.table());
}
