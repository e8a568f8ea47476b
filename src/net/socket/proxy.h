// SPDX-License-Identifier: Apache-2.0
// Proxies of HTTP that clients go through, and when: by a setting, or by the environment's
// HTTP_PROXY, HTTPS_PROXY and NO_PROXY, read as Go's net/http reads them. Requests in the clear are
// handed to the proxy whole; what is encrypted, and gRPC, goes through a tunnel that CONNECT opens
// (RFC 9110 section 9.3.6).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/socket/address.h"

namespace sonde::net {

struct Proxy {
  Address address;
  std::string authorization;  // of Proxy-Authorization; empty: none
};

// "[http://][user:password@]host[:port]". Invalid also for proxies of other kinds.
Result<Proxy> parse_proxy(std::string_view text);

struct ProxyEnvironment {
  std::string http, https, none;
  // Of this process: the upper-case names, else the lower-case ones.
  static ProxyEnvironment of_process();
};

// The proxy for what speaks to `target` (whether https, by its `tls`). Itself and its loopback are
// always reached directly. Invalid with the variable that is wrong.
Result<std::optional<Proxy>> proxy_for(const Url& target, const ProxyEnvironment& environment);

// Whether NO_PROXY's list names the address: a "*", a host or domain, an IP address, a network in
// CIDR notation; each but the last with a port or without.
bool is_without_proxy(const Address& address, std::string_view list);

}  // namespace sonde::net
