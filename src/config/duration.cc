// SPDX-License-Identifier: Apache-2.0
//
// Durations in Go's syntax, exact to the nanosecond.
#include <algorithm>
#include <limits>

#include "base/ascii.h"
#include "config/field.h"

namespace sonde::config {
namespace {

struct TimeUnit {
  std::string_view name;
  uint64_t scale;
};

constexpr TimeUnit kTimes[] = {
    {"ns", 1},         {"us", 1'000},        {"\u00b5s", 1'000},    {"\u03bcs", 1'000},
    {"ms", 1'000'000}, {"s", 1'000'000'000}, {"m", 60'000'000'000}, {"h", 3'600'000'000'000}};

// One number with its unit off the front, in nanoseconds; false where there is none or it is too
// long. A digit below a nanosecond is cut off, as by Go.
bool take_part(std::string_view& text, uint64_t& total) {
  constexpr uint64_t kTop = uint64_t{1} << 63;
  uint64_t whole = 0, part = 0, part_scale = 1;
  size_t digits = 0;
  for (; !text.empty() && is_digit(text[0]); text.remove_prefix(1), ++digits) {
    if (whole > kTop / 10) return false;
    whole = whole * 10 + static_cast<uint64_t>(text[0] - '0');
  }
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    for (; !text.empty() && is_digit(text[0]); text.remove_prefix(1), ++digits) {
      if (part_scale >= 1'000'000'000'000'000) continue;
      part = part * 10 + static_cast<uint64_t>(text[0] - '0');
      part_scale *= 10;
    }
  }
  if (digits == 0) return false;
  const size_t end = std::min(text.find_first_of(".0123456789"), text.size());
  const auto unit = std::ranges::find(kTimes, text.substr(0, end), &TimeUnit::name);
  if (unit == std::end(kTimes)) return false;
  text.remove_prefix(end);
  if (whole > kTop / unit->scale) return false;
  const auto fraction = static_cast<uint64_t>(static_cast<long double>(part) *
                                              (static_cast<long double>(unit->scale) / part_scale));
  total += whole * unit->scale + fraction;
  return total <= kTop;
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  const std::string written(text);
  const auto bad = [&] {
    return fail(ErrorKind::Invalid,
                "\"" + written + "\" is not a duration; write for example 5s, 200ms or 1h30m");
  };
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return Duration{};
  if (text.empty()) return bad();
  uint64_t total = 0;
  while (!text.empty()) {
    if (!take_part(text, total)) return bad();
  }
  constexpr auto kMost = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (total > kMost + (negative ? 1 : 0)) return bad();
  return Duration(static_cast<int64_t>(negative ? 0 - total : total));
}

std::string format_duration(Duration duration) {
  const int64_t count = duration.count();
  if (count == 0) return "0s";
  // The lowest value has no positive counterpart, hence the unsigned magnitude.
  const uint64_t total =
      count < 0 ? 0 - static_cast<uint64_t>(count) : static_cast<uint64_t>(count);
  const auto decimal = [](uint64_t value, uint64_t scale) {
    std::string out = std::to_string(value / scale);
    if (value % scale == 0) return out;
    std::string digits = std::to_string(value % scale + scale).substr(1);
    while (digits.ends_with('0')) digits.pop_back();
    return out + "." + digits;
  };
  std::string out = count < 0 ? "-" : "";
  if (total < 1'000) return out + std::to_string(total) + "ns";
  if (total < 1'000'000) return out + decimal(total, 1'000) + "\u00b5s";
  if (total < 1'000'000'000) return out + decimal(total, 1'000'000) + "ms";
  const uint64_t minutes = total / 60'000'000'000;
  if (minutes >= 60) out += std::to_string(minutes / 60) + "h";
  if (minutes > 0) out += std::to_string(minutes % 60) + "m";
  return out + decimal(total % 60'000'000'000, 1'000'000'000) + "s";
}

}  // namespace sonde::config
