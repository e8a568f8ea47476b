// SPDX-License-Identifier: Apache-2.0
#include "wire/otlp_json/unescape.h"

#include <cstdint>
#include <string_view>

#include "base/hex.h"

namespace sonde::wire {
namespace {

// The code point of a "\uXXXX" at `at`, which moves past it; nothing where there is none.
std::optional<uint32_t> read_unit(const char*& at) {
  if (at[0] != '\\' || at[1] != 'u') return std::nullopt;
  uint32_t unit = 0;
  for (int i = 2; i < 6; ++i) {
    const int digit = hex_digit(at[i]);
    if (digit < 0) return std::nullopt;
    unit = unit << 4 | static_cast<uint32_t>(digit);
  }
  at += 6;
  return unit;
}

bool is_high(uint32_t unit) { return unit >= 0xD800 && unit <= 0xDBFF; }
bool is_low(uint32_t unit) { return unit >= 0xDC00 && unit <= 0xDFFF; }

void put(std::string& out, uint32_t point) {
  if (is_high(point) || is_low(point)) point = 0xFFFD;
  const auto tail = [&](int shift) { out += static_cast<char>(0x80 | (point >> shift & 0x3F)); };
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xC0 | point >> 6);
    tail(0);
  } else if (point < 0x10000) {
    out += static_cast<char>(0xE0 | point >> 12);
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0 | point >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

}  // namespace

std::optional<std::string> unescape_lone_surrogates(const char* at) {
  static constexpr std::string_view kEscapes = "\"\\/bfnrt";
  static constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
  std::string out;
  while (*at != '"') {
    if (static_cast<uint8_t>(*at) < 0x20) return std::nullopt;
    if (*at != '\\') {
      out += *at++;
    } else if (at[1] != 'u') {
      const size_t which = at[1] == '\0' ? kEscapes.npos : kEscapes.find(at[1]);
      if (which == kEscapes.npos) return std::nullopt;
      out += kMeant[which];
      at += 2;
    } else {
      const auto unit = read_unit(at);
      if (!unit) return std::nullopt;
      // A half takes the unit behind it with it, whatever that is.
      const bool half = is_high(*unit) || is_low(*unit);
      const auto next = half ? read_unit(at) : std::nullopt;
      if (next && is_high(*unit) && is_low(*next)) {
        put(out, 0x10000 + ((*unit - 0xD800) << 10) + (*next - 0xDC00));
      } else {
        put(out, *unit);
        if (next) put(out, *next);
      }
    }
  }
  return out;
}

}  // namespace sonde::wire
