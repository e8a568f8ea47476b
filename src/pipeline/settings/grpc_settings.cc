// SPDX-License-Identifier: Apache-2.0
#include "pipeline/settings/grpc_settings.h"

#include <fmt/format.h>

#include <algorithm>

namespace sonde::pipeline {

net::GrpcServerKeepalive GrpcServerKeepaliveSettings::options() const {
  net::GrpcServerKeepalive out;
  const GrpcServerParameters p = server_parameters.value_or(GrpcServerParameters());
  const GrpcEnforcementPolicy policy = enforcement_policy.value_or(GrpcEnforcementPolicy());
  out.max_idle = p.max_connection_idle;
  out.max_age = p.max_connection_age;
  out.max_age_grace = p.max_connection_age_grace;
  // No connection is asked more often than once a second, as in gRPC.
  if (p.time.count() > 0) out.ping_after = std::max<Duration>(p.time, std::chrono::seconds(1));
  if (p.timeout.count() > 0) out.ping_timeout = p.timeout;
  if (policy.min_time.count() > 0) out.min_ping_interval = policy.min_time;
  out.pings_without_calls = policy.permit_without_stream;
  return out;
}

void GrpcClientSettings::apply(net::GrpcClientOptions& options) const {
  constexpr Duration kLeast = std::chrono::seconds(10);  // Servers close who asks more often.
  if (keepalive) {
    options.ping_after = std::max(keepalive->time, kLeast);
    if (keepalive->timeout.count() > 0) options.ping_timeout = keepalive->timeout;
    options.ping_without_calls = keepalive->permit_without_stream;
  }
  if (!user_agent.empty()) options.user_agent = user_agent;
  options.authority = authority;
}

Result<> check_grpc_client(const GrpcClientSettings& settings) {
  const std::string& name = settings.balancer_name;
  if (name.empty() || name == "round_robin" || name == "pick_first") return {};
  return fail(ErrorKind::Invalid,
              fmt::format("balancer_name: \"{}\" is none of round_robin, pick_first", name));
}

std::string grpc_endpoint(std::string_view endpoint) {
  for (const std::string_view scheme : {"dns://", "passthrough://"}) {
    if (!endpoint.starts_with(scheme)) continue;
    // What stands between the slashes names a resolver to ask, which is the system's here.
    const size_t slash = endpoint.find('/', scheme.size());
    if (slash != std::string_view::npos) return std::string(endpoint.substr(slash + 1));
  }
  return std::string(endpoint);
}

}  // namespace sonde::pipeline
