// SPDX-License-Identifier: Apache-2.0
// How a response begins on the wire.
#include <fmt/core.h>

#include <ctime>
#include <iterator>

#include "net/http/internal/http_connection.h"

namespace sonde::net {

std::string http_date(int64_t unix_ns) {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds = unix_ns / 1'000'000'000;
  std::tm tm{};
  ::gmtime_r(&seconds, &tm);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", kDays[tm.tm_wday], tm.tm_mday,
                     kMonths[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

bool is_clean(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

std::string response_head(const Response& response, std::optional<size_t> length, bool keep_alive,
                          bool chunked, int64_t unix_ns) {
  std::string out = fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\n", response.status,
                                reason_phrase(response.status), http_date(unix_ns));
  const auto add = [&out](std::string_view name, std::string_view value) {
    if (name.empty() || !is_clean(name) || !is_clean(value)) return;
    fmt::format_to(std::back_inserter(out), "{}: {}\r\n", name, value);
  };
  if (!response.content_type.empty()) add("Content-Type", response.content_type);
  for (const Header& header : response.headers) add(header.name, header.value);
  const bool bodyless = response.status == 204 || response.status == 304 || response.status < 200;
  if (length && !bodyless) add("Content-Length", fmt::format("{}", *length));
  if (chunked) add("Transfer-Encoding", "chunked");
  add("Connection", keep_alive ? "keep-alive" : "close");
  out += "\r\n";
  return out;
}

}  // namespace sonde::net
