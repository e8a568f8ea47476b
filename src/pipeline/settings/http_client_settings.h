// SPDX-License-Identifier: Apache-2.0
// Settings that clients of HTTP have besides those of every peer, named as the Collector names
// them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/field.h"
#include "net/http/http_client.h"
#include "pipeline/settings/grpc_settings.h"

namespace sonde::pipeline {

// No settings but that it is there.
struct CookieSettings {};

struct HttpClientSettings {
  std::string proxy_url;
  BufferSizes buffers;
  int64_t max_idle_conns = 100;
  int64_t max_idle_conns_per_host = 0;
  int64_t max_conns_per_host = 0;
  Duration idle_conn_timeout = std::chrono::seconds(90);
  bool disable_keep_alives = false;
  bool force_attempt_http2 = true;
  Duration http2_read_idle_timeout{}, http2_ping_timeout{};
  std::optional<CookieSettings> cookies;

  // `at_once` is how many requests the caller may have in flight.
  void apply(net::HttpClientOptions& options, size_t at_once) const;
};

// Call from Config::validate().
Result<> check_http_client(const HttpClientSettings& settings);

// By the setting, else by the environment. Call where the client is made.
Result<std::optional<net::Proxy>> choose_proxy(std::string_view proxy_url,
                                               std::string_view base_url);
// gRPC knows the environment alone, and uses the proxy for https whatever it speaks.
Result<std::optional<net::Proxy>> choose_grpc_proxy(std::string_view endpoint);

inline constexpr auto kCookieFields = config::fields<CookieSettings>();
// To be embedded.
inline constexpr auto kHttpClientFields = config::fields<HttpClientSettings>(
    config::field("proxy_url", &HttpClientSettings::proxy_url,
                  "http://[user:password@]host:port to go through; else HTTP_PROXY, HTTPS_PROXY "
                  "and NO_PROXY of the environment.",
                  {.secret = true}),
    config::embed(&HttpClientSettings::buffers, kBufferFields),
    config::field("max_idle_conns", &HttpClientSettings::max_idle_conns,
                  "Connections kept while nothing is sent; 0: all; less: none."),
    config::field("max_idle_conns_per_host", &HttpClientSettings::max_idle_conns_per_host,
                  "The same for one host; 0: as max_idle_conns; less: none."),
    config::field("max_conns_per_host", &HttpClientSettings::max_conns_per_host,
                  "Connections to a host at once; 0 or less: one for each request in flight."),
    config::field("idle_conn_timeout", &HttpClientSettings::idle_conn_timeout,
                  "How long a connection is kept while nothing is sent; 0 or less: for ever."),
    config::field("disable_keep_alives", &HttpClientSettings::disable_keep_alives,
                  "Connect for each request."),
    config::field("force_attempt_http2", &HttpClientSettings::force_attempt_http2,
                  "Taken, without an effect: requests are HTTP/1.1."),
    config::field("http2_read_idle_timeout", &HttpClientSettings::http2_read_idle_timeout,
                  "Taken, without an effect: requests are HTTP/1.1."),
    config::field("http2_ping_timeout", &HttpClientSettings::http2_ping_timeout,
                  "Taken, without an effect: requests are HTTP/1.1."),
    config::field("cookies", &HttpClientSettings::cookies, kCookieFields.table(),
                  "Send back the cookies that the peer sets, as load balancers want that keep a "
                  "client at one server.",
                  {.null_is_absent = true}));

}  // namespace sonde::pipeline
