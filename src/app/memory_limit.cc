// SPDX-License-Identifier: Apache-2.0
#include "app/memory_limit.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>

#include "base/log.h"

namespace sonde::app {
namespace {

constexpr uint64_t kNone = std::numeric_limits<size_t>::max();
constexpr uint64_t kLeast = uint64_t{48} << 20;  // 32 MiB of it are no telemetry.
constexpr double kShare = 80;

struct Unit {
  std::string_view name;
  double bytes;
};
constexpr Unit kUnits[] = {{"", 1},
                           {"B", 1},
                           {"KiB", 1 << 10},
                           {"MiB", 1 << 20},
                           {"kB", 1000},
                           {"GiB", 1 << 30},
                           {"TiB", 1099511627776},
                           {"KB", 1000},
                           {"MB", 1e6},
                           {"GB", 1e9},
                           {"TB", 1e12}};

}  // namespace

Result<uint64_t> memory_limit(std::string_view text, uint64_t total, std::string_view gomemlimit) {
  const bool own = !text.empty() && text != "auto";
  const std::string_view said = own ? text : gomemlimit;
  const std::string_view where = own ? "--memory-limit" : "GOMEMLIMIT";
  if (said == "off") return kNone;
  if (said.empty()) return std::max(kLeast, static_cast<uint64_t>(double(total) / 100 * kShare));
  double number = 0;
  const auto [end, error] = std::from_chars(said.data(), said.data() + said.size(), number);
  const std::string_view unit(end, said.data() + said.size());
  double bytes = -1;
  if (error == std::errc() && unit == "%" && number <= 100) bytes = double(total) / 100 * number;
  for (const Unit& known : kUnits) {
    if (error == std::errc() && unit == known.name) bytes = number * known.bytes;
  }
  if (!own && bytes >= 0 && bytes < double(kLeast)) {
    log_warn(
        "GOMEMLIMIT: {} is less than the 48 MiB that are needed, which are taken; set "
        "--memory-limit or GOMEMLIMIT to 48MiB or more",
        said);
    return kLeast;
  }
  if (!(bytes > 0 && bytes < 1e18)) {
    return fail(ErrorKind::Invalid,
                fmt::format("{}: \"{}\" is no amount of memory; write it as 512MiB, 2GiB or 70%",
                            where, said));
  }
  if (bytes < double(kLeast)) {
    return fail(ErrorKind::Invalid,
                fmt::format("{}: {} is less than the 48 MiB that are needed", where, said));
  }
  return static_cast<uint64_t>(bytes);
}

}  // namespace sonde::app
