// SPDX-License-Identifier: Apache-2.0
#include "net/socket/address.h"

#include <fmt/core.h>

#include <charconv>
#include <utility>

#include "base/url_secrets.h"
#include "net/http/http_types.h"

namespace sonde::net {
namespace {

constexpr std::string_view kUnix = "unix:";

constexpr std::string_view kEncodeUser =
    "write /, ?, # and @ of a user and password as %2F, %3F, %23 and %40";

std::unexpected<Error> bad(std::string_view text, std::string_view why) {
  return fail(ErrorKind::Invalid,
              fmt::format("address \"{}\": {}", url_without_secrets(text), why));
}

Result<uint16_t> parse_port(std::string_view text, std::string_view port) {
  if (port.empty()) return bad(text, "the port is missing after \":\"");
  if (port.find_first_not_of("0123456789") != std::string_view::npos) {
    return bad(text, fmt::format("port \"{}\" is not a number", port));
  }
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), value);
  if (error != std::errc() || value > 65535) {
    return bad(text, fmt::format("port {} is above 65535", port));
  }
  return static_cast<uint16_t>(value);
}

Result<> check_host(std::string_view text, std::string_view host) {
  for (const char c : host) {
    if (static_cast<unsigned char>(c) <= ' ' || c == 0x7f || c == '/' || c == '@') {
      return bad(text, fmt::format("host \"{}\" contains a character no host name has", host));
    }
  }
  return {};
}

Result<Address> parse_with_default(std::string_view text, std::string_view part, int fallback) {
  if (part.empty()) return bad(text, "it is empty; expected \"host:port\"");
  std::string_view host;
  std::string_view rest;
  if (part.front() == '[') {
    const size_t close = part.find(']');
    if (close == std::string_view::npos) return bad(text, "\"[\" has no matching \"]\"");
    host = part.substr(1, close - 1);
    rest = part.substr(close + 1);
    if (host.empty()) return bad(text, "there is no address between \"[\" and \"]\"");
    if (!rest.empty() && rest.front() != ':') return bad(text, "expected \":port\" after \"]\"");
  } else {
    const size_t colon = part.find(':');
    if (colon != std::string_view::npos && part.find(':', colon + 1) != std::string_view::npos) {
      return bad(text, "an IPv6 address needs brackets, as in \"[::1]:4317\"");
    }
    host = part.substr(0, colon);
    rest = colon == std::string_view::npos ? std::string_view() : part.substr(colon);
  }
  if (auto checked = check_host(text, host); !checked) return std::unexpected(checked.error());
  if (rest.empty()) {
    if (fallback < 0) return bad(text, "the port is missing; expected \"host:port\"");
    return Address{std::string(host), static_cast<uint16_t>(fallback)};
  }
  auto port = parse_port(text, rest.substr(1));
  if (!port) return std::unexpected(port.error());
  return Address{std::string(host), *port};
}

}  // namespace

std::string_view Address::unix_path() const {
  return host.starts_with(kUnix) ? std::string_view(host).substr(kUnix.size()) : std::string_view();
}

std::string Address::to_string() const {
  if (!unix_path().empty()) return host;
  const bool v6 = host.find(':') != std::string::npos;
  return v6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

std::string Url::authority() const {
  if (!address.unix_path().empty()) return "localhost";
  const std::string text = address.to_string();
  const std::string_view own = tls ? ":443" : ":80";
  return address.port == (tls ? 443 : 80) ? text.substr(0, text.size() - own.size()) : text;
}

Result<Address> parse_address(std::string_view text) {
  if (text.find("://") != std::string_view::npos) {
    return bad(text, "expected \"host:port\" without a scheme");
  }
  return parse_with_default(text, text, -1);
}

std::string shown_url(std::string_view url) {
  const size_t scheme = url.find("://");
  const size_t start = scheme == std::string_view::npos ? 0 : scheme + 3;
  const size_t end = std::min(url.find_first_of("/?#", start), url.size());
  const size_t host = std::max(url.substr(0, end).rfind('@') + 1, start);
  const std::string_view authority = url.substr(host, end - host);
  // An @ behind what is no host is the end of a user and password with a "/", "?" or "#" in it.
  if (!parse_with_default(authority, authority, 0)) return url_without_secrets(url);
  const std::string_view path = url.substr(end, url.find_first_of("?#", end) - end);
  return std::string(url.substr(0, start)).append(authority).append(path);
}

Result<Url> parse_url(std::string_view text, uint16_t default_port) {
  Url url;
  if (text.starts_with(kUnix)) {
    std::string_view path = text.substr(kUnix.size());
    if (path.starts_with("//")) path.remove_prefix(2);
    if (path.empty()) return bad(text, "the path of the unix socket is missing");
    url.address.host = std::string(kUnix) + std::string(path);
    return url;
  }
  std::string_view rest = text;
  const size_t scheme_end = text.find("://");
  int fallback = -1;
  if (scheme_end != std::string_view::npos) {
    const std::string_view scheme = text.substr(0, scheme_end);
    if (scheme == "https") {
      url.tls = true;
      fallback = default_port == 80 ? 443 : default_port;
    } else if (scheme == "http") {
      fallback = default_port;
    } else {
      return bad(text, fmt::format("scheme \"{}\" is not http or https", scheme));
    }
    rest = text.substr(scheme_end + 3);
  }
  const size_t slash = rest.find_first_of("/?#");
  // Of the text before the "/", which may be a password's, nothing is told.
  if (slash != std::string_view::npos && rest.find('@', slash) != std::string_view::npos &&
      !parse_with_default(text, rest.substr(rest.substr(0, slash).rfind('@') + 1, slash), 0)) {
    return bad(text, kEncodeUser);
  }
  if (slash != std::string_view::npos) {
    url.path = std::string(rest.substr(slash));
    if (url.path.find_first_of("?# \r\n") != std::string::npos) {
      return bad(text, "a query, a fragment or a space is not allowed here");
    }
    while (url.path.ends_with('/')) url.path.pop_back();
    rest = rest.substr(0, slash);
  }
  if (const size_t at = rest.rfind('@'); at != std::string_view::npos) {
    auto authorization = basic_authorization(rest.substr(0, at));
    if (!authorization) return bad(text, "its user has a broken percent escape");
    url.authorization = std::move(*authorization);
    rest.remove_prefix(at + 1);
  }
  auto address = parse_with_default(text, rest, fallback);
  if (!address) return std::unexpected(address.error());
  if (address->host.empty()) return bad(text, "the host is missing");
  if (address->port == 0) return bad(text, "port 0 cannot be connected to");
  url.address = std::move(*address);
  return url;
}

}  // namespace sonde::net
