// SPDX-License-Identifier: Apache-2.0
#include "pipeline/settings/http_client_settings.h"

#include <algorithm>

namespace sonde::pipeline {

void HttpClientSettings::apply(net::HttpClientOptions& options, size_t at_once) const {
  options.max_connections = max_conns_per_host > 0 ? static_cast<size_t>(max_conns_per_host)
                                                   : std::max<size_t>(at_once, 1);
  options.max_queued = std::max(options.max_queued, at_once);
  const int64_t idle = max_idle_conns_per_host != 0 ? max_idle_conns_per_host : max_idle_conns;
  if (idle != 0) options.max_idle = idle < 0 ? 0 : static_cast<size_t>(idle);
  constexpr Duration kForEver = std::chrono::hours(24 * 365);
  options.idle_timeout = idle_conn_timeout.count() > 0 ? idle_conn_timeout : kForEver;
  options.keep_alive = !disable_keep_alives;
  options.cookies = cookies.has_value();
}

Result<> check_http_client(const HttpClientSettings& settings) {
  if (settings.proxy_url.empty()) return {};
  if (auto proxy = net::parse_proxy(settings.proxy_url); !proxy) {
    return std::unexpected(at("proxy_url", std::move(proxy.error())));
  }
  return {};
}

Result<std::optional<net::Proxy>> choose_proxy(std::string_view proxy_url,
                                               std::string_view base_url) {
  if (!proxy_url.empty()) return TRY(net::parse_proxy(proxy_url));
  return net::proxy_for(TRY(net::parse_url(base_url)), net::ProxyEnvironment::of_process());
}

Result<std::optional<net::Proxy>> choose_grpc_proxy(std::string_view endpoint) {
  net::Url url = TRY(net::parse_url(endpoint, 4317));
  if (!url.authorization.empty()) {
    return fail(ErrorKind::Invalid,
                "endpoint: gRPC knows no user in it; the extension basicauth sends one");
  }
  url.tls = true;
  return net::proxy_for(url, net::ProxyEnvironment::of_process());
}

}  // namespace sonde::pipeline
