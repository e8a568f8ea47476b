// SPDX-License-Identifier: Apache-2.0
// Settings that servers of HTTP share, named as the Collector names them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/field.h"
#include "net/compression/compression.h"
#include "net/http/http_server.h"
#include "pipeline/settings/tls_settings.h"

namespace sonde::pipeline {

struct HttpServerSettings {
  std::string endpoint;
  std::string transport = "tcp";
  std::optional<TlsServerSettings> tls;
  std::optional<net::CorsSettings> cors;
  int64_t max_request_body_size = 0;  // 0 or less: kMaxRequestBody
  bool include_metadata = false;
  std::map<std::string, std::string> response_headers;
  std::vector<std::string> compression_algorithms;
  Duration read_timeout{};  // 0: a header has read_header_timeout, a body a minute
  Duration read_header_timeout = std::chrono::minutes(1);
  Duration write_timeout = std::chrono::seconds(30);
  Duration idle_timeout = std::chrono::minutes(1);
  bool keep_alives_enabled = true;

  size_t max_body() const;
  // Whether bodies may come in this Content-Encoding; those that nobody knows are refused later.
  bool takes_encoding(std::string_view encoding) const;
};

// What HttpServer::listen() takes, for an endpoint whose `transport` says that it is a path.
std::string listen_address(std::string_view transport, std::string_view endpoint);

// Call from Config::validate().
Result<> check_http_server(const HttpServerSettings& settings);

// Reads certificates.
Result<net::HttpServerOptions> http_server_options(const HttpServerSettings& settings);

inline constexpr auto kCorsFields = config::fields<net::CorsSettings>(
    config::field("allowed_origins", &net::CorsSettings::allowed_origins,
                  "Whose pages may send; one * in each stands for any text."),
    config::field("allowed_headers", &net::CorsSettings::allowed_headers,
                  "What their requests may carry besides Content-Type and its like; * is all."),
    config::field("exposed_headers", &net::CorsSettings::exposed_headers,
                  "What of an answer they may read."),
    config::field("max_age", &net::CorsSettings::max_age, "For how long a browser may know it.",
                  {.unit = "s"}));

// To be embedded: embed(&Config::server, kHttpServerFields).
inline constexpr auto kHttpServerFields = config::fields<HttpServerSettings>(
    config::field("endpoint", &HttpServerSettings::endpoint,
                  "Where to listen: host:port, or unix:PATH."),
    config::field("transport", &HttpServerSettings::transport, "What the endpoint is.",
                  {.choices = "tcp|tcp4|tcp6|unix"}),
    config::field("tls", &HttpServerSettings::tls, kTlsServerFields, "Encryption.",
                  {.null_is_absent = true}),
    config::field("cors", &HttpServerSettings::cors, kCorsFields, "Which browsers may send.",
                  {.null_is_absent = true}),
    config::field("max_request_body_size", &HttpServerSettings::max_request_body_size,
                  "The largest body, decompressed, that is taken; 0 or less is 20 MiB.",
                  {.unit = "By"}),
    config::field("include_metadata", &HttpServerSettings::include_metadata,
                  "Keep the headers of a request with its data, for batching and sending by them."),
    config::field("response_headers", &HttpServerSettings::response_headers,
                  "Headers of each answer.", {.pairs = true, .secret = true}),
    config::field("compression_algorithms", &HttpServerSettings::compression_algorithms,
                  "The encodings that are taken, \"\" for none; all if not given."),
    config::field("read_timeout", &HttpServerSettings::read_timeout,
                  "For a whole request; 0 or less: the header has its own, the body a minute."),
    config::field("read_header_timeout", &HttpServerSettings::read_header_timeout,
                  "For the header; 0: read_timeout; less: none."),
    config::field("write_timeout", &HttpServerSettings::write_timeout,
                  "For each write of an answer; 0 or less: none."),
    config::field("idle_timeout", &HttpServerSettings::idle_timeout,
                  "Between requests; 0: read_timeout; less: none."),
    config::field("keep_alives_enabled", &HttpServerSettings::keep_alives_enabled,
                  "Take several requests on a connection."));

}  // namespace sonde::pipeline
