// SPDX-License-Identifier: Apache-2.0
#include "pipeline/settings/http_server_settings.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"

namespace sonde::pipeline {
namespace {

constexpr size_t kMaxRequestBody = size_t{20} << 20;
// Where the settings say that there is no limit of time: nobody holds memory for ever.
constexpr Duration kLong = std::chrono::hours(24);
constexpr Duration kBody = std::chrono::minutes(1);

// The first that is set.
Duration first_of(Duration a, Duration b, Duration otherwise) {
  if (a.count() < 0) return otherwise;
  if (a.count() > 0) return a;
  return b.count() > 0 ? b : otherwise;
}

}  // namespace

size_t HttpServerSettings::max_body() const {
  return max_request_body_size <= 0 ? kMaxRequestBody : static_cast<size_t>(max_request_body_size);
}

bool HttpServerSettings::takes_encoding(std::string_view encoding) const {
  if (compression_algorithms.empty()) return true;
  if (encoding == "identity") encoding = "";
  return std::ranges::find(compression_algorithms, encoding) != compression_algorithms.end();
}

std::string listen_address(std::string_view transport, std::string_view endpoint) {
  const bool path = transport == "unix" && !endpoint.starts_with("unix:");
  return fmt::format("{}{}", path ? "unix:" : "", endpoint);
}

Result<> check_http_server(const HttpServerSettings& settings) {
  if (settings.tls) {
    if (auto checked = check_tls_settings(*settings.tls); !checked) {
      return std::unexpected(at("tls", std::move(checked.error())));
    }
  }
  for (const std::string& name : settings.compression_algorithms) {
    if (name.empty() || net::encoding_named(name, net::Carrier::Http)) continue;
    return fail(ErrorKind::Invalid, fmt::format("compression_algorithms: \"{}\" is none of {}",
                                                name, net::accepted_encodings(net::Carrier::Http)));
  }
  for (const std::string& origin :
       settings.cors ? settings.cors->allowed_origins : std::vector<std::string>()) {
    if (std::ranges::count(origin, '*') <= 1) continue;
    return fail(ErrorKind::Invalid,
                fmt::format("cors::allowed_origins: \"{}\" has more than one *", origin));
  }
  return {};
}

Result<net::HttpServerOptions> http_server_options(const HttpServerSettings& settings) {
  net::HttpServerOptions options;
  options.max_body = settings.max_body();
  options.max_connections = 10'000;
  options.header_timeout = first_of(settings.read_header_timeout, settings.read_timeout, kLong);
  options.body_timeout = first_of(settings.read_timeout, kBody, kBody);
  options.write_timeout = first_of(settings.write_timeout, kLong, kLong);
  options.idle_timeout = first_of(settings.idle_timeout, settings.read_timeout, kLong);
  options.http2 = true;
  options.keep_alive = settings.keep_alives_enabled;
  for (const auto& [name, value] : settings.response_headers) {
    options.response_headers.push_back({name, value});
  }
  if (settings.cors && !settings.cors->allowed_origins.empty()) {
    options.cors = std::make_shared<net::Cors>(*settings.cors);
  } else if (settings.cors && !settings.cors->allowed_headers.empty()) {
    log_warn("cors: allowed_headers without allowed_origins allows nothing");
  }
  if (settings.tls) {
    options.tls = TRY(net::make_tls_server(*settings.tls, net::HttpVersion::Http2OrHttp1));
  }
  return options;
}

}  // namespace sonde::pipeline
