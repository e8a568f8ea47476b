// SPDX-License-Identifier: Apache-2.0
//
// Byte sizes and nearest names: the small readers behind the decoder.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

#include "base/ascii.h"
#include "config/field.h"

namespace sonde::config {
namespace {

struct Unit {
  std::string_view name;
  double scale;
};

constexpr Unit kSizes[] = {{"", 1},
                           {"b", 1},
                           {"kb", 1e3},
                           {"mb", 1e6},
                           {"gb", 1e9},
                           {"tb", 1e12},
                           {"pb", 1e15},
                           {"kib", 1024},
                           {"mib", 1024.0 * 1024},
                           {"gib", 1024.0 * 1024 * 1024},
                           {"tib", 1024.0 * 1024 * 1024 * 1024},
                           {"pib", 1024.0 * 1024 * 1024 * 1024 * 1024}};

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

Result<uint64_t> parse_bytes(std::string_view text) {
  std::string_view rest = text;
  double number = 0;
  if (take_number(rest, number)) {
    while (rest.starts_with(' ')) rest.remove_prefix(1);
    const Unit* unit = find_unit(kSizes, lower(rest));
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
