// SPDX-License-Identifier: Apache-2.0
#include "base/rfc3339.h"

#include <fmt/format.h>

#include <ctime>

namespace sonde {

std::string format_rfc3339(int64_t unix_ns) {
  constexpr int64_t kSecond = 1'000'000'000;
  const int64_t fraction = ((unix_ns % kSecond) + kSecond) % kSecond;
  const auto seconds = static_cast<time_t>((unix_ns - fraction) / kSecond);
  tm parts{};
  gmtime_r(&seconds, &parts);
  std::string out =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1,
                  parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
  if (fraction > 0) {
    out += fmt::format(".{:09}", fraction);
    while (out.ends_with('0')) out.pop_back();
  }
  return out + "Z";
}

}  // namespace sonde
