// SPDX-License-Identifier: Apache-2.0
//
// The timestamps that go-yaml knows: one or two digits for each part but the year.
#include <charconv>
#include <chrono>

#include "config/scalar.h"

namespace sonde::config {
namespace {

struct Reader {
  std::string_view rest;

  bool take(char c) {
    if (!rest.starts_with(c)) return false;
    rest.remove_prefix(1);
    return true;
  }
  // A number of so many digits; -1 when there is none.
  int number(size_t fewest, size_t most) {
    size_t size = 0;
    while (size < most && size < rest.size() && rest[size] >= '0' && rest[size] <= '9') ++size;
    if (size < fewest) return -1;
    int value = 0;
    std::from_chars(rest.data(), rest.data() + size, value);
    rest.remove_prefix(size);
    return value;
  }
  // The digits after a decimal point, as nanoseconds; Go takes a comma too.
  int64_t fraction() {
    if (!take('.') && !take(',')) return 0;
    int64_t value = 0, scale = 1'000'000'000;
    size_t size = 0;
    for (; size < rest.size() && rest[size] >= '0' && rest[size] <= '9'; ++size) {
      if (scale == 1) continue;
      scale /= 10;
      value += (rest[size] - '0') * scale;
    }
    if (size == 0) return -1;
    rest.remove_prefix(size);
    return value;
  }
};

}  // namespace

std::optional<int64_t> parse_timestamp(std::string_view text) {
  Reader in{text};
  const int year = in.number(4, 4);
  if (year < 0 || !in.take('-')) return {};
  const int month = in.number(1, 2);
  if (month < 0 || !in.take('-')) return {};
  const int day = in.number(1, 2);
  if (day < 0) return {};
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return {};
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  // What nanoseconds since 1970 can hold.
  if (days < -106'000 || days > 106'000) return {};
  int64_t seconds = days * 86'400;
  int64_t fraction = 0;
  if (!in.rest.empty()) {
    const bool zone = in.take('T') || in.take('t');
    if (!zone && !in.take(' ')) return {};
    const int hour = in.number(1, 2);
    if (hour < 0 || hour > 23 || !in.take(':')) return {};
    const int minute = in.number(1, 2);
    if (minute < 0 || minute > 59 || !in.take(':')) return {};
    const int second = in.number(1, 2);
    if (second < 0 || second > 59) return {};
    fraction = in.fraction();
    if (fraction < 0) return {};
    seconds += hour * 3600 + minute * 60 + second;
    if (zone && !in.take('Z')) {
      const bool west = in.rest.starts_with('-');
      if (!in.take('-') && !in.take('+')) return {};
      const int hours = in.number(2, 2);
      if (hours < 0 || hours > 24 || !in.take(':')) return {};
      const int minutes = in.number(2, 2);
      if (minutes < 0 || minutes > 60) return {};
      seconds += (west ? 1 : -1) * (hours * 3600 + minutes * 60);
    }
    if (!in.rest.empty()) return {};
  }
  return seconds * 1'000'000'000 + fraction;
}

std::string format_timestamp(int64_t unix_ns) {
  using namespace std::chrono;
  const auto at = sys_time<nanoseconds>(nanoseconds(unix_ns));
  const auto midnight = floor<days>(at);
  const year_month_day date(midnight);
  const hh_mm_ss clock(at - midnight);
  const auto two = [](auto number) {
    const std::string text = std::to_string(number);
    return text.size() < 2 ? "0" + text : text;
  };
  std::string out = std::to_string(static_cast<int>(date.year())) + "-" +
                    two(static_cast<unsigned>(date.month())) + "-" +
                    two(static_cast<unsigned>(date.day())) + "T" + two(clock.hours().count()) +
                    ":" + two(clock.minutes().count()) + ":" + two(clock.seconds().count());
  if (const int64_t nanos = clock.subseconds().count(); nanos != 0) {
    std::string digits = std::to_string(nanos);
    digits.insert(0, 9 - digits.size(), '0');
    while (digits.ends_with('0')) digits.pop_back();
    out += "." + digits;
  }
  return out + "Z";
}

}  // namespace sonde::config
