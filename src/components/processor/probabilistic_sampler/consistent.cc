// SPDX-License-Identifier: Apache-2.0
#include "components/processor/probabilistic_sampler/consistent.h"

#include <algorithm>
#include <cmath>

#include "base/ascii.h"
#include "base/check.h"
#include "base/hex.h"

namespace sonde::sampling {
namespace {

constexpr size_t kMostMembers = 31;  // The Collector's, one less than the specification's.
constexpr double kWhole = 72057594037927936.0;  // kMost.

std::optional<uint64_t> read_digits(std::string_view text) {
  uint64_t value = 0;
  for (const char c : text) {
    const int digit = hex_digit(c);
    if (digit < 0) return std::nullopt;
    value = value << 4 | static_cast<uint64_t>(digit);
  }
  return value;
}

std::string_view write_digits(uint64_t value, std::array<char, kDigits>& to) {
  for (int i = kDigits - 1; i >= 0; --i, value >>= 4)
    to[static_cast<size_t>(i)] = kHexDigits[value & 15];
  return {to.data(), to.size()};
}

// Calls back with each part between separators, one at least; false where the visitor says so.
template <class Visit>
bool each(std::string_view text, char separator, Visit&& visit) {
  for (;;) {
    const size_t end = text.find(separator);
    if (!visit(text.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 1);
  }
}

bool is_letter(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_word(std::string_view text, size_t most, bool digit_first) {
  const auto fits = [](char c) {
    return is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '*' || c == '/';
  };
  return !text.empty() && text.size() <= most &&
         (is_letter(text[0]) || (digit_first && is_digit(text[0]))) &&
         std::ranges::all_of(text, fits);
}

// https://www.w3.org/TR/trace-context/#list, as the Collector takes it.
bool is_key(std::string_view key) {
  const size_t at = key.find('@');
  if (at == std::string_view::npos) return is_word(key, 256, false);
  return is_word(key.substr(0, at), 241, true) && is_word(key.substr(at + 1), 14, false);
}

bool is_value(std::string_view value) {
  const auto fits = [](char c) { return c >= ' ' && c <= '~' && c != '='; };
  return !value.empty() && value.size() <= 256 && std::ranges::all_of(value, fits);
}

std::unexpected<Error> malformed() {
  return fail(ErrorKind::Invalid, "the trace state does not parse");
}

// One key:value of the `ot` member.
bool read_part(std::string_view part, TraceState& state) {
  const size_t colon = part.find(':');
  if (colon == 0 || colon == std::string_view::npos) return false;
  const std::string_view value = part.substr(colon + 1);
  const std::string_view key = part.substr(0, colon);
  const auto in_key = [](char c) { return is_letter(c) || is_digit(c); };
  const auto in_value = [](char c) {
    return is_alphanumeric(c) || c == '.' || c == '_' || c == '-';
  };
  if (!is_letter(key[0]) || !std::ranges::all_of(key, in_key) ||
      !std::ranges::all_of(value, in_value))
    return false;
  if (part.starts_with("rv:")) return (state.randomness = read_randomness(value)).has_value();
  if (part.starts_with("th:")) return (state.threshold = read_threshold(value)).has_value();
  return true;
}

}  // namespace

double Threshold::probability() const { return static_cast<double>(kMost - value) / kWhole; }

double least_probability() { return 1 / kWhole; }

std::optional<Threshold> threshold_of(double probability, int digits) {
  if (!(probability >= least_probability() && probability <= 1)) return std::nullopt;
  if (digits == 0) digits = kDigits;
  if (probability == 1) return kAlways;
  int near_zero = 0;
  int near_one = 0;
  (void)std::frexp(probability, &near_zero);
  (void)std::frexp(1 - probability, &near_one);
  digits = std::min(kDigits, std::max(digits + near_zero / -4, digits + near_one / -4));
  uint64_t value = kMost - static_cast<uint64_t>(std::round(probability * kWhole));
  if (const int shift = 4 * (kDigits - digits); shift > 0) {
    value += uint64_t{1} << (shift - 1);
    value = value >> shift << shift;
  }
  return Threshold{value};
}

Randomness randomness_of_trace(std::string_view trace_id) {
  CHECK(trace_id.size() == 16, "a trace id has 16 bytes");
  uint64_t value = 0;
  for (const char c : trace_id.substr(9)) value = value << 8 | static_cast<uint8_t>(c);
  return {value};
}

Randomness randomness_of_hash(uint32_t hash) {
  constexpr uint64_t kBuckets = 1 << 14;
  const uint64_t low = hash & (kBuckets - 1);
  const uint64_t high = hash >> 18;
  return {(kBuckets - 1 - low) << 42 | (high ^ high << 10) << 14 | low};
}

std::string_view write(Threshold threshold, std::array<char, kDigits>& to) {
  if (threshold.value >= kMost) return {};
  std::string_view text = write_digits(threshold.value, to);
  while (text.size() > 1 && text.ends_with('0')) text.remove_suffix(1);
  return text;
}

std::string_view write(Randomness randomness, std::array<char, kDigits>& to) {
  return write_digits(randomness.value, to);
}

std::optional<Threshold> read_threshold(std::string_view text) {
  if (text.empty() || text.size() > kDigits) return std::nullopt;
  const auto value = read_digits(text);
  if (!value) return std::nullopt;
  return Threshold{*value << (4 * (kDigits - static_cast<int>(text.size())))};
}

std::optional<Randomness> read_randomness(std::string_view text) {
  if (text.size() != kDigits) return std::nullopt;
  const auto value = read_digits(text);
  if (!value) return std::nullopt;
  return Randomness{*value};
}

Result<TraceState> TraceState::parse(std::string_view text) {
  TraceState state;
  state.text = text;
  size_t members = 0;
  const bool good = each(text, ',', [&](std::string_view member) {
    member = trimmed(member);
    if (member.empty()) return true;
    const size_t equals = member.find('=');
    if (++members > kMostMembers || equals == std::string_view::npos) return false;
    if (!is_key(member.substr(0, equals)) || !is_value(member.substr(equals + 1))) return false;
    if (!member.starts_with("ot=")) return true;
    state.threshold.reset();  // Of two of them the last one counts.
    state.randomness.reset();
    state.other = member.substr(equals + 1);
    return each(state.other, ';', [&](std::string_view part) { return read_part(part, state); });
  });
  if (!good) return malformed();
  return state;
}

void TraceState::write_to(std::string& out) const {
  std::array<char, kDigits> digits;
  char next = '=';
  const auto part = [&](std::string_view key, std::string_view value) {
    out += next == '=' ? "ot=" : ";";
    out.append(key).append(value);
    next = ';';
  };
  out.clear();
  if (randomness) part("rv:", write(*randomness, digits));
  if (threshold) part("th:", write(*threshold, digits));
  each(other, ';', [&](std::string_view rest) {
    if (!rest.empty() && !rest.starts_with("rv:") && !rest.starts_with("th:")) part({}, rest);
    return true;
  });
  each(text, ',', [&](std::string_view member) {
    member = trimmed(member);
    if (member.empty() || member.starts_with("ot=")) return true;
    if (!out.empty()) out += ',';
    out += member;
    return true;
  });
}

}  // namespace sonde::sampling
