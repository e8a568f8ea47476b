// SPDX-License-Identifier: Apache-2.0
// Addresses as users write them in a configuration: "127.0.0.1:4317", "[::1]:4317", ":8888",
// "http://collector:4318/base". The errors quote the text and say which part is wrong, because a
// mistyped endpoint is the most common mistake of a first setup. Names are not resolved here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sonde::net {

struct Address {
  std::string host;  // without brackets; empty means every interface; "unix:PATH" is a unix socket
  uint16_t port = 0;
  std::string to_string() const;  // brackets an IPv6 host
  // The path of a unix socket; empty where it is none.
  std::string_view unix_path() const;
};

// "host:port". Port 0 is allowed: a listener takes a free one.
Result<Address> parse_address(std::string_view text);

struct Url {
  bool tls = false;  // https
  Address address;
  std::string path;           // starts with '/', without a trailing one; empty for none
  std::string authorization;  // the header that its user and password make; empty for none
  // For the Host header or :authority: without the port where it is the scheme's own.
  std::string authority() const;
};

// The URL without its user, its query and its fragment, which may be secret; of one whose host
// cannot be read, what url_without_secrets() leaves.
std::string shown_url(std::string_view url);

// "http://[user[:password]@]host[:port][/path]"; also a bare "host:port", which is read as plain
// http, and "unix:PATH" or "unix:///PATH".
Result<Url> parse_url(std::string_view text, uint16_t default_port = 80);

}  // namespace sonde::net
