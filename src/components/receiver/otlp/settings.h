// SPDX-License-Identifier: Apache-2.0
// The settings of the OTLP receiver, named as the Collector names them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/field.h"
#include "pipeline/auth/authenticator.h"
#include "pipeline/settings/grpc_settings.h"
#include "pipeline/settings/http_server_settings.h"
#include "pipeline/settings/tls_settings.h"

namespace sonde::otlp_receiver {

struct Grpc {
  std::string endpoint = "localhost:4317";
  std::string transport = "tcp";
  uint64_t max_recv_msg_size_mib = 4;
  uint32_t max_concurrent_streams = 1024;
  pipeline::BufferSizes buffers;
  std::optional<pipeline::GrpcServerKeepaliveSettings> keepalive =
      pipeline::GrpcServerKeepaliveSettings();
  bool include_metadata = false;
  std::optional<pipeline::TlsServerSettings> tls;
  std::optional<pipeline::AuthSettings> auth;
};

struct HttpAuth : pipeline::AuthSettings {
  std::vector<std::string> request_params;
};

struct Http {
  pipeline::HttpServerSettings server{.endpoint = "localhost:4318"};
  std::string traces_url_path = "/v1/traces";
  std::string metrics_url_path = "/v1/metrics";
  std::string logs_url_path = "/v1/logs";
  std::optional<HttpAuth> auth;
};

struct Protocols {
  std::optional<Grpc> grpc;
  std::optional<Http> http;
};

struct Config {
  Protocols protocols;
  bool opaque = false;
  Result<> validate() const {
    if (protocols.grpc && protocols.grpc->tls) {
      auto checked = pipeline::check_tls_settings(*protocols.grpc->tls);
      if (!checked) return std::unexpected(at("protocols::grpc::tls", std::move(checked.error())));
    }
    if (protocols.grpc && (protocols.grpc->buffers.read_buffer_size < 0 ||
                           protocols.grpc->buffers.write_buffer_size < 0)) {
      return fail(ErrorKind::Invalid, "protocols::grpc: sizes of buffers must not be negative");
    }
    if (protocols.http) {
      auto checked = pipeline::check_http_server(protocols.http->server);
      if (!checked) return std::unexpected(at("protocols::http", std::move(checked.error())));
    }
    if (protocols.grpc || protocols.http) return {};
    return fail(ErrorKind::Invalid,
                "must specify at least one protocol: protocols::grpc or protocols::http");
  }
};

inline constexpr auto kGrpcFields = config::fields<Grpc>(
    config::field("endpoint", &Grpc::endpoint, "Where to listen: host:port, or unix:PATH."),
    config::field("transport", &Grpc::transport, "What the endpoint is.",
                  {.choices = "tcp|tcp4|tcp6|unix"}),
    config::embed(&Grpc::buffers, pipeline::kBufferFields),
    config::field("keepalive", &Grpc::keepalive, pipeline::kGrpcServerKeepaliveFields,
                  "How long connections are kept, and who may ask whether they are."),
    config::field("max_recv_msg_size_mib", &Grpc::max_recv_msg_size_mib,
                  "The largest message, decompressed, that is taken, up to 1024; 0 is 4.",
                  {.min = 0, .unit = "MiB"}),
    config::field("max_concurrent_streams", &Grpc::max_concurrent_streams,
                  "Calls in progress on one connection; 0 is 1024."),
    config::field("include_metadata", &Grpc::include_metadata,
                  "Keep the metadata of a call with its data, for batching and sending by it."),
    config::field("tls", &Grpc::tls, pipeline::kTlsServerFields, "Encryption.",
                  {.null_is_absent = true}),
    config::field("auth", &Grpc::auth, pipeline::kAuthFields, "Who may send."));
inline constexpr auto kHttpAuthFields = config::fields<HttpAuth>(
    config::field("authenticator", &HttpAuth::authenticator, "As for gRPC.", {.extension = true}),
    config::field("request_params", &HttpAuth::request_params,
                  "Parameters of the query that the authenticator takes for headers."));
inline constexpr auto kHttpFields = config::fields<Http>(
    config::embed(&Http::server, pipeline::kHttpServerFields),
    config::field("traces_url_path", &Http::traces_url_path, "Where traces are posted."),
    config::field("metrics_url_path", &Http::metrics_url_path, "Where metrics are posted."),
    config::field("logs_url_path", &Http::logs_url_path, "Where logs are posted."),
    config::field("auth", &Http::auth, kHttpAuthFields, "Who may send."));
inline constexpr auto kProtocolFields = config::fields<Protocols>(
    config::field("grpc", &Protocols::grpc, kGrpcFields, "OTLP over gRPC."),
    config::field("http", &Protocols::http, kHttpFields, "OTLP over HTTP."));
inline constexpr auto kFields = config::fields<Config>(
    config::field("protocols", &Config::protocols, kProtocolFields, "What to listen for."),
    config::field("opaque", &Config::opaque,
                  "A setting of Sonde alone: pass protobuf bodies on without looking inside, and "
                  "count requests and bytes in place of items. Refused where a component that "
                  "follows has to look inside."));

}  // namespace sonde::otlp_receiver
