// SPDX-License-Identifier: Apache-2.0
// The settings of healthcheckv2, named as the Collector names them.
#pragma once

#include <optional>
#include <string>

#include "config/field.h"
#include "pipeline/introspection/health.h"
#include "pipeline/settings/http_server_settings.h"

namespace sonde::healthcheckv2 {

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
  Duration recovery_duration{};
};
struct StatusPath {
  bool enabled = true;
  std::string path = "/status";
  bool include_attributes = false;
};
struct ConfigPath {
  bool enabled = false;
  std::string path = "/config";
  bool include_attributes = false;
};
struct Http {
  pipeline::HttpServerSettings server{.endpoint = "localhost:13133"};
  StatusPath status;
  ConfigPath config;
};
struct Grpc {
  std::string endpoint = "localhost:13132";
  std::string transport = "tcp";
  std::optional<pipeline::TlsServerSettings> tls;
};

struct Config {
  pipeline::HttpServerSettings server{.endpoint = "localhost:13133"};
  std::string path = "/";
  std::optional<ResponseBody> response_body;
  CheckCollectorPipeline check_collector_pipeline;
  bool use_v2 = false;
  std::optional<Http> http;
  std::optional<Grpc> grpc;
  std::optional<ComponentHealth> component_health;

  pipeline::HealthRule rule() const {
    if (!component_health) return {};
    return {.permanent = component_health->include_permanent_errors,
            .recoverable = component_health->include_recoverable_errors,
            .recovery = component_health->recovery_duration};
  }

  Result<> validate() const {
    const auto bad = [](const char* text) { return fail(ErrorKind::Invalid, text); };
    if (!use_v2) {
      if (server.endpoint.empty()) return bad("http endpoint required");
      if (!path.starts_with('/')) return bad("path must start with /");
      return pipeline::check_http_server(server);
    }
    if (!http && !grpc) return bad("must specify at least one protocol");
    if (http) {
      if (http->server.endpoint.empty()) return bad("http endpoint required");
      if ((http->status.enabled && !http->status.path.starts_with('/')) ||
          (http->config.enabled && !http->config.path.starts_with('/')))
        return bad("path must start with /");
      if (http->status.enabled && http->config.enabled && http->status.path == http->config.path)
        return bad("http: status and config have the same path");
      if (auto checked = pipeline::check_http_server(http->server); !checked)
        return std::unexpected(at("http", std::move(checked.error())));
    }
    if (!grpc) return {};
    if (grpc->endpoint.empty()) return bad("grpc endpoint required");
    if (!grpc->tls) return {};
    auto checked = pipeline::check_tls_settings(*grpc->tls);
    if (!checked) return std::unexpected(at("grpc::tls", std::move(checked.error())));
    return {};
  }
};

inline constexpr auto kBodyFields = config::fields<ResponseBody>(
    config::field("healthy", &ResponseBody::healthy, "The body of a 200."),
    config::field("unhealthy", &ResponseBody::unhealthy, "The body of a 503."));
inline constexpr auto kCheckFields = config::fields<CheckCollectorPipeline>(
    config::field("enabled", &CheckCollectorPipeline::enabled, "No effect."),
    config::field("interval", &CheckCollectorPipeline::interval, "No effect."),
    config::field("exporter_failure_threshold", &CheckCollectorPipeline::exporter_failure_threshold,
                  "No effect."));
inline constexpr auto kComponentFields = config::fields<ComponentHealth>(
    config::field("include_permanent_errors", &ComponentHealth::include_permanent_errors,
                  "Whether a permanent error is unhealthy."),
    config::field("include_recoverable_errors", &ComponentHealth::include_recoverable_errors,
                  "Whether a recoverable error is unhealthy after recovery_duration."),
    config::field("recovery_duration", &ComponentHealth::recovery_duration,
                  "For how long a recoverable error is none.", {.min = 0}));
inline constexpr auto kStatusFields = config::fields<StatusPath>(
    config::field("enabled", &StatusPath::enabled, "Whether the status is served."),
    config::field("path", &StatusPath::path, "Where."),
    config::field("include_attributes", &StatusPath::include_attributes,
                  "No effect: statuses have no attributes here."));
inline constexpr auto kConfigFields = config::fields<ConfigPath>(
    config::field("enabled", &ConfigPath::enabled, "Whether the configuration is served."),
    config::field("path", &ConfigPath::path, "Where."),
    config::field("include_attributes", &ConfigPath::include_attributes, "No effect."));
inline constexpr auto kHttpFields =
    config::fields<Http>(config::embed(&Http::server, pipeline::kHttpServerFields),
                         config::field("status", &Http::status, kStatusFields, "The status."),
                         config::field("config", &Http::config, kConfigFields,
                                       "The configuration in force, secrets masked."));
inline constexpr auto kGrpcFields = config::fields<Grpc>(
    config::field("endpoint", &Grpc::endpoint, "Where to listen: host:port, or unix:PATH."),
    config::field("transport", &Grpc::transport, "The Collector's word for the kind of address.",
                  {.choices = "tcp|tcp4|tcp6|unix"}),
    config::field("tls", &Grpc::tls, pipeline::kTlsServerFields, "Encryption."));
inline constexpr auto kFields = config::fields<Config>(
    config::embed(&Config::server, pipeline::kHttpServerFields),
    config::field("path", &Config::path, "Without use_v2: what is answered."),
    config::field("response_body", &Config::response_body, kBodyFields,
                  "Without use_v2: bodies in place of the JSON.", {.pointer = true}),
    config::field("check_collector_pipeline", &Config::check_collector_pipeline, kCheckFields,
                  "Taken and without effect, as in the Collector."),
    config::field("use_v2", &Config::use_v2,
                  "Whether http and grpc are served; else it answers as health_check does."),
    config::field("http", &Config::http, kHttpFields, "The service over HTTP."),
    config::field("grpc", &Config::grpc, kGrpcFields, "The service grpc.health.v1.Health."),
    config::field("component_health", &Config::component_health, kComponentFields,
                  "When errors of components count."));

}  // namespace sonde::healthcheckv2
