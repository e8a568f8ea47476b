// SPDX-License-Identifier: Apache-2.0
// Hexadecimal (RFC 4648, section 8): written in lower case, read in either.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sonde {

inline constexpr std::string_view kHexDigits = "0123456789abcdef";

// 0 to 15; -1 for what is no digit.
constexpr int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Two digits for each byte.
constexpr void append_hex(std::string& out, std::string_view bytes) {
  for (const char c : bytes) {
    out += kHexDigits[static_cast<unsigned char>(c) >> 4];
    out += kHexDigits[static_cast<unsigned char>(c) & 15];
  }
}
constexpr std::string to_hex(std::string_view bytes) {
  std::string out;
  out.reserve(2 * bytes.size());
  append_hex(out, bytes);
  return out;
}

// Appends the bytes that the digits stand for; false where the text is no pairs of digits, and then
// those before the wrong one are in `out`.
constexpr bool from_hex(std::string_view text, std::string& out) {
  if (text.size() % 2 != 0) return false;
  for (size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_digit(text[i]);
    const int low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return false;
    out += static_cast<char>(high << 4 | low);
  }
  return true;
}

}  // namespace sonde
