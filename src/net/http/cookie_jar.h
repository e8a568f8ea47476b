// SPDX-License-Identifier: Apache-2.0
// The cookies of one host, for clients of load balancers that keep a client at one server by them.
// RFC 6265 without the parts that browsers need: a cookie goes back only to the host and the path
// that it came from, whatever its Domain says, and is forgotten with the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sonde::net {

class CookieJar {
 public:
  static constexpr size_t kMostCookies = 64;  // The oldest goes first.
  static constexpr size_t kMostBytes = 4096;  // Of a cookie's name and value; others are left out.

  // What a Set-Cookie header of an answer says. `path` is that of the request, with or without its
  // query. What is malformed is left out.
  void take(std::string_view set_cookie, std::string_view path, int64_t unix_ns);
  // The value of a Cookie header for a request; empty where there is none for it.
  std::string header(std::string_view path, bool tls, int64_t unix_ns);
  size_t size() const { return cookies_.size(); }

 private:
  struct Cookie {
    std::string name, value, path;
    bool secure = false;
    int64_t end_s = 0;  // Unix time; the largest: never.
  };
  std::vector<Cookie> cookies_;  // The oldest first.
};

}  // namespace sonde::net
