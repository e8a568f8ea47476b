// SPDX-License-Identifier: Apache-2.0
#include "components/receiver/otlpjsonfile/path_time.h"

#include <fmt/format.h>

#include <array>
#include <ctime>
#include <utility>

#include "base/ascii.h"

namespace sonde::otlpjsonfile {
namespace {

constexpr std::string_view kSimple = "YymoqbhBdegaAHlIpPMSLfsZzwijknt%";
constexpr std::pair<char, std::string_view> kComposed[] = {
    {'D', "%m/%d/%Y"}, {'x', "%m/%d/%Y"},    {'F', "%Y-%m-%d"}, {'T', "%H:%M:%S"},
    {'X', "%H:%M:%S"}, {'r', "%I:%M:%S %p"}, {'R', "%H:%M"},    {'c', "%a %b %d %H:%M:%S %Y"}};
constexpr std::array<std::string_view, 12> kMonths = {
    "january", "february", "march",     "april",   "may",      "june",
    "july",    "august",   "september", "october", "november", "december"};

constexpr int64_t kSecond = 1'000'000'000;

class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : rest_(text) {}

  bool take(char directive) {
    switch (directive) {
      case 'Y':
        return number(4, parts_.tm_year, -1900);
      case 'y':
        if (!number(2, parts_.tm_year, 0)) return false;
        if (parts_.tm_year < 69) parts_.tm_year += 100;
        return true;
      case 'm':
      case 'o':
      case 'q':
        return number(2, parts_.tm_mon, -1);
      case 'd':
      case 'e':
      case 'g':
        return number(2, parts_.tm_mday, 0);
      case 'H':
      case 'I':
      case 'l':
        return number(2, parts_.tm_hour, 0);
      case 'M':
        return number(2, parts_.tm_min, 0);
      case 'S':
        return number(2, parts_.tm_sec, 0);
      case 'L':
      case 'f':
      case 's':
        return fraction();
      case 'b':
      case 'h':
      case 'B':
        return month();
      case 'p':
      case 'P':
        return half();
      case 'a':
      case 'A':
      case 'Z':
        return !letters().empty();
      case 'z':
      case 'w':
      case 'i':
      case 'j':
      case 'k':
        return offset();
      case 'n':
        return literal('\n');
      case 't':
        return literal('\t');
      default:
        return literal('%');
    }
  }
  bool literal(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::optional<int64_t> end() {
    if (!rest_.empty() || parts_.tm_mon < 0 || parts_.tm_mon > 11 || parts_.tm_mday < 1 ||
        parts_.tm_mday > 31 || parts_.tm_hour > 23 || parts_.tm_min > 59 || parts_.tm_sec > 60 ||
        parts_.tm_year > 300)
      return std::nullopt;
    if (afternoon_) parts_.tm_hour = parts_.tm_hour % 12 + (*afternoon_ ? 12 : 0);
    const int64_t seconds = int64_t{::timegm(&parts_)} - offset_s_;
    // Before the year 1677 there are no nanoseconds in 64 bits.
    if (seconds < INT64_MIN / kSecond) return std::nullopt;
    return seconds * kSecond + ns_;
  }

 private:
  bool number(size_t most, int& out, int add) {
    while (!rest_.empty() && rest_[0] == ' ') rest_.remove_prefix(1);
    size_t digits = 0;
    int value = 0;
    while (digits < most && digits < rest_.size() && is_digit(rest_[digits]))
      value = value * 10 + (rest_[digits++] - '0');
    if (digits == 0) return false;
    rest_.remove_prefix(digits);
    out = value + add;
    return true;
  }
  bool fraction() {
    int64_t unit = 100'000'000;
    if (rest_.empty() || !is_digit(rest_[0])) return false;
    while (!rest_.empty() && is_digit(rest_[0])) {
      ns_ += unit * (rest_[0] - '0');
      unit /= 10;
      rest_.remove_prefix(1);
    }
    return true;
  }
  std::string letters() {
    size_t size = 0;
    while (size < rest_.size() && is_letter(rest_[size])) ++size;
    const std::string out = lower(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return out;
  }
  bool month() {
    const std::string name = letters();
    for (size_t i = 0; i < kMonths.size(); ++i) {
      if (name != kMonths[i] && name != kMonths[i].substr(0, 3)) continue;
      parts_.tm_mon = static_cast<int>(i);
      return true;
    }
    return false;
  }
  bool half() {
    const std::string name = letters();
    if (name != "am" && name != "pm") return false;
    afternoon_ = name == "pm";
    return true;
  }
  bool offset() {
    if (literal('Z')) return true;
    if (rest_.empty() || (rest_[0] != '+' && rest_[0] != '-')) return false;
    const int sign = rest_[0] == '-' ? -1 : 1;
    rest_.remove_prefix(1);
    int seconds = 0;
    for (const int unit : {3600, 60, 1}) {
      if (unit < 3600 && !rest_.empty() && rest_[0] == ':') rest_.remove_prefix(1);
      int value = 0;
      if (!number(2, value, 0)) return unit < 3600 && finish_offset(sign * seconds);
      seconds += value * unit;
    }
    return finish_offset(sign * seconds);
  }
  bool finish_offset(int seconds) {
    offset_s_ = seconds;
    return true;
  }

  std::string_view rest_;
  std::tm parts_{.tm_sec = 0,
                 .tm_min = 0,
                 .tm_hour = 0,
                 .tm_mday = 1,
                 .tm_mon = 0,
                 .tm_year = 70,
                 .tm_wday = 0,
                 .tm_yday = 0,
                 .tm_isdst = 0,
                 .tm_gmtoff = 0,
                 .tm_zone = nullptr};
  int64_t ns_ = 0;
  int64_t offset_s_ = 0;
  std::optional<bool> afternoon_;
};

}  // namespace

Result<std::string> spell_out_layout(std::string_view layout) {
  std::string out;
  for (size_t i = 0; i < layout.size(); ++i) {
    if (layout[i] != '%') {
      out += layout[i];
      continue;
    }
    const char directive = ++i < layout.size() ? layout[i] : '\0';
    const auto* composed = std::begin(kComposed);
    while (composed != std::end(kComposed) && composed->first != directive) ++composed;
    if (composed != std::end(kComposed)) {
      out += composed->second;
    } else if (directive != '\0' && kSimple.contains(directive)) {
      (out += '%') += directive;
    } else {
      return fail(ErrorKind::Invalid,
                  fmt::format("layout: \"{}\" has a directive %{} that there is not", layout,
                              layout.substr(std::min(i, layout.size()), 1)));
    }
  }
  return out;
}

std::optional<int64_t> read_path_time(std::string_view layout, std::string_view text) {
  TimeReader reader(text);
  for (size_t i = 0; i < layout.size(); ++i) {
    const bool directive = layout[i] == '%' && i + 1 < layout.size();
    if (!(directive ? reader.take(layout[++i]) : reader.literal(layout[i]))) return std::nullopt;
  }
  return reader.end();
}

}  // namespace sonde::otlpjsonfile
