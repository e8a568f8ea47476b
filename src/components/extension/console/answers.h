// SPDX-License-Identifier: Apache-2.0
// The answers of /api/v1 as JSON, and the rules of who may ask: pure functions, so that they are
// tested without a socket. api.schema.json beside this file is the contract; change both together.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/reloader.h"
#include "rollup/book.h"

namespace sonde::console {

struct Status {
  double uptime_s = 0;
  uint64_t lost_events = 0;
  std::string front_end{};
  uint64_t series = 0, series_overflow = 0, spans_exported = 0;
  std::vector<std::string> warnings{};
};

std::string services_json(const rollup::ServicesAnswer& answer, uint64_t lost_events);
std::string service_json(const rollup::ServiceAnswer& answer);
std::string map_json(const rollup::MapAnswer& answer);
std::string status_json(const Status& status);
std::string reload_json(const pipeline::ReloadReport& report);
std::string error_json(std::string_view what, std::string_view why, std::string_view advice);

// "5m", "90s", "300"; nothing readable is 0.
int64_t parse_range(std::string_view text);
// Only names of this machine may reach the page, which defeats DNS rebinding.
bool host_allowed(std::string_view host, std::string_view configured_host, int port);
// Browsers give a host's cookies to all of its ports, and so to other people's servers: each Sonde
// has its own cookie, whose value does not tell the token.
std::string session_cookie(int port);
std::string session_value(std::string_view token, int port);
// Whether a browser sent a request for a page of this host and port itself, as far as it tells: by
// the headers Origin and Sec-Fetch-Site, which scripts of a page cannot set.
bool from_own_page(std::string_view origin, std::string_view fetch_site, std::string_view host);
// The value of a cookie of a Cookie header.
std::string_view cookie(std::string_view header, std::string_view name);
// Takes the same time wherever the first difference is.
bool same_token(std::string_view a, std::string_view b);

// The path of a request's target, to go to after signing in; "/" for what a browser could take for
// another host.
std::string_view local_path(std::string_view target);

}  // namespace sonde::console
