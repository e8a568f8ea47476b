// SPDX-License-Identifier: Apache-2.0
#include "net/http/cors.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace sonde::net {
namespace {

bool is_method(std::string_view method) {
  return method == "GET" || method == "POST" || method == "HEAD" || method == "OPTIONS";
}

}  // namespace

Cors::Cors(CorsSettings settings) : settings_(std::move(settings)) {
  for (const std::string& each : settings_.allowed_origins) {
    const std::string origin = lower(each);
    const size_t star = origin.find('*');
    if (origin == "*") {
      any_origin_ = true;
    } else if (star == std::string::npos) {
      origins_.push_back(origin);
    } else {
      patterns_.emplace_back(origin.substr(0, star), origin.substr(star + 1));
    }
  }
  any_header_ = std::ranges::count(settings_.allowed_headers, "*") > 0;
  exposed_ = fmt::format("{}", fmt::join(settings_.exposed_headers, ", "));
}

bool Cors::allows_origin(std::string_view given) const {
  if (any_origin_) return true;
  const std::string origin = lower(given);
  if (std::ranges::count(origins_, origin) > 0) return true;
  return std::ranges::any_of(patterns_, [&](const auto& pattern) {
    const auto& [before, after] = pattern;
    return origin.size() >= before.size() + after.size() && origin.starts_with(before) &&
           origin.ends_with(after);
  });
}

bool Cors::allows_headers(std::string_view list) const {
  if (any_header_) return true;
  const auto allows = [&](std::string_view name) {
    const auto same = [&](std::string_view other) { return equals_ignoring_case(name, other); };
    static constexpr std::array<std::string_view, 4> kAlways = {"accept", "accept-language",
                                                                "content-language", "content-type"};
    if (name.empty() || std::ranges::any_of(kAlways, same)) return true;
    if (settings_.allowed_headers.empty()) return same("x-requested-with");
    return std::ranges::any_of(settings_.allowed_headers, same);
  };
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    std::string_view name = list.substr(0, comma);
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    if (!allows(name)) return false;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return true;
}

void Cors::add_permission(std::string_view origin, Headers& headers) const {
  headers.push_back({"Access-Control-Allow-Origin", any_origin_ ? "*" : std::string(origin)});
  headers.push_back({"Access-Control-Allow-Credentials", "true"});
}

bool Cors::is_preflight(const Request& request) {
  return request.method == "OPTIONS" && !request.header("Access-Control-Request-Method").empty();
}

Response Cors::preflight(const Request& request) const {
  Response out{.status = 204, .content_type = {}, .body = {}, .headers = {}};
  out.headers.push_back(
      {"Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"});
  const std::string_view origin = request.header("Origin");
  const std::string_view method = request.header("Access-Control-Request-Method");
  if (origin.empty() || !allows_origin(origin) || !is_method(method)) return out;
  std::string headers;
  for (const Header& header : request.headers) {
    if (!equals_ignoring_case(header.name, "Access-Control-Request-Headers")) continue;
    if (!headers.empty()) headers += ",";
    headers += header.value;
  }
  if (!allows_headers(headers)) return out;
  add_permission(origin, out.headers);
  out.headers.push_back({"Access-Control-Allow-Methods", std::string(method)});
  if (!headers.empty()) out.headers.push_back({"Access-Control-Allow-Headers", headers});
  if (settings_.max_age != 0) {
    out.headers.push_back(
        {"Access-Control-Max-Age", fmt::format("{}", std::max<int64_t>(0, settings_.max_age))});
  }
  return out;
}

void Cors::annotate(std::string_view origin, std::string_view method, Headers& headers) const {
  headers.push_back({"Vary", "Origin"});
  if (origin.empty() || !allows_origin(origin) || !is_method(method)) return;
  add_permission(origin, headers);
  if (!exposed_.empty()) headers.push_back({"Access-Control-Expose-Headers", exposed_});
}

}  // namespace sonde::net
