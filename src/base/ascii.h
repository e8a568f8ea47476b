// SPDX-License-Identifier: Apache-2.0
// Letters and digits as protocols know them: those of ASCII only, whatever the locale says.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace sonde {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return lower(c) >= 'a' && lower(c) <= 'z'; }
constexpr bool is_alphanumeric(char c) { return is_letter(c) || is_digit(c); }

constexpr bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

inline std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = lower(c);
  return out;
}

inline constexpr std::string_view kWhiteSpace = " \t\r\n\v\f";

// Without the characters of `of` at both ends.
constexpr std::string_view trimmed(std::string_view text, std::string_view of = " \t") {
  text.remove_prefix(std::min(text.find_first_not_of(of), text.size()));
  return text.substr(0, text.find_last_not_of(of) + 1);
}

}  // namespace sonde
