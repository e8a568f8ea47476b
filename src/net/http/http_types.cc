// SPDX-License-Identifier: Apache-2.0
#include "net/http/http_types.h"

#include <algorithm>
#include <charconv>
#include <ctime>

#include "base/base64.h"
#include "base/hex.h"

namespace sonde::net {

std::string_view find_header(const Headers& headers, std::string_view name) {
  for (const Header& header : headers) {
    if (equals_ignoring_case(header.name, name)) return header.value;
  }
  return {};
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (text.size() - i < 3 || !from_hex(text.substr(i + 1, 2), out)) return std::nullopt;
      i += 2;
    } else {
      out.push_back(plus_is_space && text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

std::optional<std::string> Request::query_param(std::string_view name) const {
  std::string_view rest = query;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const size_t equals = std::min(pair.find('='), pair.size());
    if (percent_decode(pair.substr(0, equals), true) != name) continue;
    return percent_decode(pair.substr(std::min(equals + 1, pair.size())), true);
  }
  return std::nullopt;
}

std::string media_type(std::string_view content_type) {
  return lower(trimmed(content_type.substr(0, content_type.find(';'))));
}

std::optional<std::string> basic_authorization(std::string_view user_info) {
  const size_t colon = std::min(user_info.find(':'), user_info.size());
  const auto name = percent_decode(user_info.substr(0, colon));
  const auto password = percent_decode(user_info.substr(std::min(colon + 1, user_info.size())));
  if (!name || !password) return std::nullopt;
  return "Basic " + encode_base64(*name + ":" + *password);
}

std::optional<int64_t> parse_http_date(std::string_view text) {
  if (text.size() >= 64) return std::nullopt;
  const std::string copy(text);
  // Two digits of a year are tried before four, for which two are enough.
  for (const char* form : {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
                           "%a, %d-%b-%Y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"}) {
    std::tm date{};
    const char* const rest = ::strptime(copy.c_str(), form, &date);
    if (rest != nullptr && rest == copy.c_str() + copy.size()) return ::timegm(&date);
  }
  return std::nullopt;
}

Duration retry_after(std::string_view header, int64_t unix_ns) {
  constexpr int64_t kMost = 3600;
  while (header.ends_with(' ')) header.remove_suffix(1);
  int64_t seconds = 0;
  const char* const last = header.data() + header.size();
  const auto [end, error] = std::from_chars(header.data(), last, seconds);
  if (end == header.data()) {
    if (const auto date = parse_http_date(header)) seconds = *date - unix_ns / 1'000'000'000;
  } else if (end != last) {
    return {};
  } else if (error == std::errc::result_out_of_range) {
    seconds = header.starts_with('-') ? 0 : kMost;
  }
  return std::chrono::seconds(std::clamp<int64_t>(seconds, 0, kMost));
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return status < 400 ? "OK" : "Error";
  }
}

}  // namespace sonde::net
