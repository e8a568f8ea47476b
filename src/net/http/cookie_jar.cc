// SPDX-License-Identifier: Apache-2.0
#include "net/http/cookie_jar.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "base/ascii.h"
#include "net/http/http_types.h"

namespace sonde::net {
namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

std::string_view take_part(std::string_view& rest, char end) {
  const size_t at = std::min(rest.find(end), rest.size());
  const std::string_view part = trimmed(rest.substr(0, at));
  rest.remove_prefix(std::min(at + 1, rest.size()));
  return part;
}

// What may stand in a Cookie header without changing what it says.
bool is_clean(std::string_view text) {
  return std::ranges::none_of(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == ';'; });
}

std::string_view without_query(std::string_view path) {
  return path.substr(0, path.find_first_of("?#"));
}

// RFC 6265 section 5.1.4.
std::string_view directory_of(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos || slash == 0 ? "/" : path.substr(0, slash);
}
bool covers(std::string_view cookie_path, std::string_view path) {
  return path.starts_with(cookie_path) &&
         (path.size() == cookie_path.size() || cookie_path.ends_with('/') ||
          path[cookie_path.size()] == '/');
}

// Section 5.2.2: when it ends; nothing for what is no number.
std::optional<int64_t> end_of_age(std::string_view text, int64_t now_s) {
  int64_t seconds = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, seconds);
  if (end != last || text.empty()) return std::nullopt;
  if (text.front() == '-' || (error == std::errc() && seconds == 0)) return 0;
  return error == std::errc() && seconds < kNever - now_s ? now_s + seconds : kNever;
}

}  // namespace

void CookieJar::take(std::string_view set_cookie, std::string_view path, int64_t unix_ns) {
  const int64_t now_s = unix_ns / 1'000'000'000;
  std::string_view pair = take_part(set_cookie, ';');
  if (pair.find('=') == std::string_view::npos) return;
  Cookie cookie{.name = std::string(take_part(pair, '=')),
                .value = std::string(trimmed(pair)),
                .path = std::string(directory_of(without_query(path))),
                .end_s = kNever};
  const bool fits = cookie.name.size() + cookie.value.size() <= kMostBytes;
  if (cookie.name.empty() || !fits || !is_clean(cookie.name) || !is_clean(cookie.value)) return;
  bool has_age = false;
  while (!set_cookie.empty()) {
    std::string_view value = take_part(set_cookie, ';');
    const std::string_view name = take_part(value, '=');
    value = trimmed(value);
    if (equals_ignoring_case(name, "Secure")) cookie.secure = true;
    if (equals_ignoring_case(name, "Path") && value.starts_with('/')) cookie.path = value;
    if (equals_ignoring_case(name, "Max-Age")) {
      if (const auto end = end_of_age(value, now_s)) {
        cookie.end_s = *end;
        has_age = true;
      }
    } else if (equals_ignoring_case(name, "Expires") && !has_age) {
      if (const auto end = parse_http_date(value)) cookie.end_s = *end;
    }
  }
  if (cookie.path.size() > kMostBytes) return;
  const auto same = std::ranges::find_if(cookies_, [&](const Cookie& other) {
    return other.name == cookie.name && other.path == cookie.path;
  });
  if (cookie.end_s <= now_s) {
    if (same != cookies_.end()) cookies_.erase(same);
    return;
  }
  if (same != cookies_.end()) {
    *same = std::move(cookie);
    return;
  }
  if (cookies_.size() == kMostCookies) cookies_.erase(cookies_.begin());
  cookies_.push_back(std::move(cookie));
}

std::string CookieJar::header(std::string_view path, bool tls, int64_t unix_ns) {
  path = without_query(path);
  std::erase_if(cookies_, [&](const Cookie& c) { return c.end_s <= unix_ns / 1'000'000'000; });
  std::vector<const Cookie*> fit;
  for (const Cookie& cookie : cookies_) {
    if (covers(cookie.path, path) && (tls || !cookie.secure)) fit.push_back(&cookie);
  }
  // Section 5.4: longer paths first, and the older of those that are as long.
  std::ranges::stable_sort(fit, std::greater(), [](const Cookie* c) { return c->path.size(); });
  std::string out;
  for (const Cookie* cookie : fit) {
    out.append(out.empty() ? "" : "; ").append(cookie->name).append("=").append(cookie->value);
  }
  return out;
}

}  // namespace sonde::net
