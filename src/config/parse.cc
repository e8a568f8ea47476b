// SPDX-License-Identifier: Apache-2.0
//
// Durations, byte sizes and nearest names: the small readers behind the decoder.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

#include "config/field.h"

namespace sonde::config {
namespace {

struct Unit {
  std::string_view name;
  double scale;
};

constexpr Unit kTimes[] = {{"ns", 1},  {"us", 1e3}, {"\u00b5s", 1e3}, {"ms", 1e6},
                           {"s", 1e9}, {"m", 6e10}, {"h", 3.6e12}};
constexpr Unit kSizes[] = {{"", 1},
                           {"B", 1},
                           {"KB", 1e3},
                           {"MB", 1e6},
                           {"GB", 1e9},
                           {"KiB", 1024},
                           {"MiB", 1024.0 * 1024},
                           {"GiB", 1024.0 * 1024 * 1024}};

// Takes a decimal number off the front.
bool take_number(std::string_view& text, double& out) {
  const size_t end = std::min(text.find_first_not_of("0123456789."), text.size());
  const auto [at, error] = std::from_chars(text.data(), text.data() + end, out);
  if (error != std::errc() || at != text.data() + end) return false;
  text.remove_prefix(end);
  return true;
}

template <size_t N>
const Unit* find_unit(const Unit (&units)[N], std::string_view name) {
  for (const Unit& unit : units) {
    if (unit.name == name) return &unit;
  }
  return nullptr;
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  const std::string written(text);
  const auto bad = [&] {
    return fail(ErrorKind::Invalid,
                "\"" + written + "\" is not a duration; write for example 5s, 200ms or 1h30m");
  };
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (text == "0") return Duration{};
  if (text.empty()) return bad();
  double total = 0;
  while (!text.empty()) {
    double number = 0;
    if (!take_number(text, number)) return bad();
    const size_t end = std::min(text.find_first_of("0123456789."), text.size());
    const Unit* unit = find_unit(kTimes, text.substr(0, end));
    if (!unit) return bad();
    total += number * unit->scale;
    text.remove_prefix(end);
  }
  if (!(total < 9.2e18)) return bad();
  return Duration(static_cast<int64_t>(std::llround(negative ? -total : total)));
}

std::string format_duration(Duration duration) {
  int64_t rest = duration.count();
  if (rest == 0) return "0s";
  std::string out = rest < 0 ? "-" : "";
  // The lowest value has no positive counterpart, hence the unsigned magnitude.
  uint64_t left = rest < 0 ? 0 - static_cast<uint64_t>(rest) : static_cast<uint64_t>(rest);
  constexpr std::pair<std::string_view, uint64_t> kParts[] = {
      {"h", 3'600'000'000'000}, {"m", 60'000'000'000}, {"s", 1'000'000'000},
      {"ms", 1'000'000},        {"us", 1'000},         {"ns", 1}};
  for (const auto& [name, scale] : kParts) {
    if (left < scale) continue;
    out += std::to_string(left / scale);
    out += name;
    left %= scale;
  }
  return out;
}

Result<uint64_t> parse_bytes(std::string_view text) {
  std::string_view rest = text;
  double number = 0;
  if (take_number(rest, number)) {
    while (rest.starts_with(' ')) rest.remove_prefix(1);
    const Unit* unit = find_unit(kSizes, rest);
    if (unit && number * unit->scale < 1e18) {
      return static_cast<uint64_t>(number * unit->scale);
    }
  }
  return fail(ErrorKind::Invalid,
              "\"" + std::string(text) + "\" is not a size; write for example 64MiB or 1024");
}

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
  std::string_view best;
  // Half the word may differ at most: further away, a guess would mislead.
  size_t best_distance = std::max<size_t>(1, word.size() / 2) + 1;
  std::vector<size_t> row;
  for (const std::string_view candidate : candidates) {
    if (word.size() > 200 || candidate.size() > 200) continue;
    row.resize(candidate.size() + 1);
    std::iota(row.begin(), row.end(), size_t{0});
    for (size_t i = 0; i < word.size(); ++i) {
      size_t diagonal = row[0];
      row[0] = i + 1;
      for (size_t j = 0; j < candidate.size(); ++j) {
        const size_t change = diagonal + (word[i] == candidate[j] ? 0 : 1);
        diagonal = row[j + 1];
        row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, change});
      }
    }
    if (row.back() < best_distance) {
      best_distance = row.back();
      best = candidate;
    }
  }
  return best;
}

}  // namespace sonde::config
