// SPDX-License-Identifier: Apache-2.0
// Any lines as Set-Cookie headers: the jar keeps its bound, and what it sends back is one line.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "net/http/cookie_jar.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  sonde::net::CookieJar jar;
  constexpr int64_t kNow = 1'700'000'000'000'000'000;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    jar.take(rest.substr(0, end), "/v1/traces?a=b", kNow);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  CHECK(jar.size() <= sonde::net::CookieJar::kMostCookies, "the jar is over its bound");
  const std::string header = jar.header("/v1/traces", true, kNow);
  CHECK(header.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos,
        "a cookie breaks out of its header");
  CHECK(jar.header("/v1/traces", true, INT64_MAX).size() <= header.size(), "a cookie came to life");
  return 0;
}
