// SPDX-License-Identifier: Apache-2.0
#include "net/socket/proxy.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "base/ascii.h"
#include "net/http/http_types.h"
#include "net/internal/asio.h"

namespace sonde::net {
namespace {

std::string variable(const char* upper, const char* lower_case) {
  for (const char* const name : {upper, lower_case}) {
    const char* const value = std::getenv(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return {};
}

// Both as the 16 bytes of IPv6, so that one comparison serves.
asio::ip::address_v6::bytes_type bytes_of(const asio::ip::address& ip) {
  if (ip.is_v6()) return ip.to_v6().to_bytes();
  return asio::ip::make_address_v6(asio::ip::v4_mapped, ip.to_v4()).to_bytes();
}

bool is_in_network(const asio::ip::address& ip, std::string_view network) {
  const size_t slash = network.find('/');
  error_code error;
  const auto base = asio::ip::make_address(std::string(network.substr(0, slash)), error);
  unsigned bits = 0;
  const std::string_view digits = network.substr(slash + 1);
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (error || failed != std::errc() || end != digits.data() + digits.size()) return false;
  if (base.is_v4() != ip.is_v4() || bits > (base.is_v4() ? 32u : 128u)) return false;
  if (base.is_v4()) bits += 96;
  const auto a = bytes_of(base);
  const auto b = bytes_of(ip);
  for (unsigned i = 0; i < bits; ++i) {
    const unsigned mask = 0x80u >> (i % 8);
    if ((a[i / 8] & mask) != (b[i / 8] & mask)) return false;
  }
  return true;
}

// "host:port" or "[v6]:port"; without a port the whole is the host.
std::pair<std::string_view, std::string_view> split_port(std::string_view text) {
  const size_t colon = text.rfind(':');
  const bool several = text.find(':') != colon;
  if (text.starts_with('[')) {
    const size_t close = text.find(']');
    if (close == std::string_view::npos) return {text, {}};
    const std::string_view rest = text.substr(close + 1);
    return {text.substr(1, close - 1), rest.starts_with(':') ? rest.substr(1) : rest};
  }
  if (colon == std::string_view::npos || several) return {text, {}};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

bool matches_domain(std::string_view host, std::string_view domain) {
  if (domain.starts_with("*.")) domain.remove_prefix(1);
  const bool itself = !domain.starts_with('.');
  if (itself && host == domain) return true;
  if (!itself) return host.ends_with(domain);
  return host.size() > domain.size() && host.ends_with(domain) &&
         host[host.size() - domain.size() - 1] == '.';
}

}  // namespace

Result<Proxy> parse_proxy(std::string_view text) {
  std::string_view rest = text;
  if (const size_t scheme = rest.find("://"); scheme != std::string_view::npos) {
    if (rest.substr(0, scheme) != "http") {
      return fail(ErrorKind::Invalid, fmt::format("proxy \"{}\": only http:// proxies are known",
                                                  text.substr(text.rfind('@') + 1)));
    }
    rest.remove_prefix(scheme + 3);
  }
  Proxy proxy;
  rest = rest.substr(0, rest.find_first_of("/?#"));
  auto url = parse_url(fmt::format("http://{}", rest));
  if (!url) return std::unexpected(std::move(url.error()));
  proxy.address = std::move(url->address);
  proxy.authorization = std::move(url->authorization);
  return proxy;
}

ProxyEnvironment ProxyEnvironment::of_process() {
  return {variable("HTTP_PROXY", "http_proxy"), variable("HTTPS_PROXY", "https_proxy"),
          variable("NO_PROXY", "no_proxy")};
}

bool is_without_proxy(const Address& address, std::string_view list) {
  const std::string host = lower(address.host);
  const std::string port = fmt::format("{}", address.port);
  error_code named;
  const auto ip = asio::ip::make_address(host, named);
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    const std::string entry = lower(trimmed(list.substr(0, comma)));
    list.remove_prefix(std::min(comma + 1, list.size()));
    if (entry.empty()) continue;
    if (entry == "*") return true;
    if (entry.find('/') != std::string::npos) {
      if (!named && is_in_network(ip, entry)) return true;
      continue;
    }
    const auto [name, only] = split_port(entry);
    if (name.empty() || (!only.empty() && only != port)) continue;
    error_code no_ip;
    const auto other = asio::ip::make_address(std::string(name), no_ip);
    if (!no_ip ? !named && bytes_of(other) == bytes_of(ip) : matches_domain(host, name))
      return true;
  }
  return false;
}

Result<std::optional<Proxy>> proxy_for(const Url& target, const ProxyEnvironment& environment) {
  const std::string& wanted = target.tls ? environment.https : environment.http;
  if (wanted.empty() || !target.address.unix_path().empty()) return std::nullopt;
  error_code named;
  const auto ip = asio::ip::make_address(target.address.host, named);
  if (target.address.host == "localhost" || (!named && ip.is_loopback())) return std::nullopt;
  if (is_without_proxy(target.address, environment.none)) return std::nullopt;
  auto proxy = parse_proxy(wanted);
  if (!proxy) {
    return std::unexpected(at(target.tls ? "HTTPS_PROXY" : "HTTP_PROXY", std::move(proxy.error())));
  }
  return std::optional(std::move(*proxy));
}

}  // namespace sonde::net
