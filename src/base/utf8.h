// SPDX-License-Identifier: Apache-2.0
// UTF-8 (RFC 3629) in texts of peers, which may hold any bytes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sonde {

// U+FFFD, which stands where bytes are no UTF-8.
inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";

// The length of the well-formed sequence at the front of the text, which is not empty: 1 to 4
// bytes, or 0 where there is none (table 3-7 of the Unicode Standard). Overlong forms, surrogates
// and what lies beyond U+10FFFF are none.
constexpr size_t utf8_sequence(std::string_view text) {
  const auto within = [text](size_t at, unsigned char low, unsigned char high) {
    return at < text.size() && static_cast<unsigned char>(text[at]) >= low &&
           static_cast<unsigned char>(text[at]) <= high;
  };
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  // The second byte alone tells overlong forms (E0, F0), surrogates (ED) and too large ones (F4).
  const unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned char high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  const size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (!within(1, low, high)) return 0;
  for (size_t at = 2; at < length; ++at)
    if (!within(at, 0x80, 0xBF)) return 0;
  return length;
}

// At most `limit` bytes of a text, without a sequence that the cut would split.
constexpr std::string_view cut_utf8(std::string_view text, size_t limit) {
  if (text.size() <= limit) return text;
  // The lead byte of a split sequence lies at most three bytes before the cut.
  for (size_t back = 0; back < 4 && back <= limit; ++back) {
    const size_t at = limit - back;
    if ((static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) continue;
    return utf8_sequence(text.substr(at)) > back ? text.substr(0, at) : text.substr(0, limit);
  }
  return text.substr(0, limit);
}

// The text with kReplacementCharacter for each byte that is of no sequence; as long as three times
// the text at most.
inline std::string well_formed_utf8(std::string_view text) {
  std::string out;
  size_t done = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t length = utf8_sequence(text.substr(at));
    if (length == 0) {
      out.append(text, done, at - done).append(kReplacementCharacter);
      done = at + 1;
    }
    at += length == 0 ? 1 : length;
  }
  return out.append(text, done);
}

// At most `limit` bytes of that.
inline std::string well_formed_utf8(std::string_view text, size_t limit) {
  std::string out = well_formed_utf8(cut_utf8(text, limit));
  out.resize(cut_utf8(out, limit).size());
  return out;
}

}  // namespace sonde
