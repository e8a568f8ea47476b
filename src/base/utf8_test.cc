// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace sonde {
namespace {

// Whatever the code point is, in as many bytes as asked for (RFC 3629, section 3).
std::string encode(uint32_t point, size_t bytes) {
  constexpr uint32_t kFirst[] = {0, 0, 0xC0, 0xE0, 0xF0};
  std::string out;
  for (; bytes > 1 && out.size() < bytes - 1; point >>= 6)
    out.insert(out.begin(), static_cast<char>(0x80 | (point & 0x3F)));
  out.insert(out.begin(), static_cast<char>(kFirst[bytes] | point));
  return out;
}

size_t bytes_of(uint32_t point) {
  return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
}

TEST(Utf8, EachCharacterHasItsLengthWhateverFollows) {
  for (uint32_t point = 0; point <= 0x10FFFF; ++point) {
    if (point >= 0xD800 && point <= 0xDFFF) continue;
    const size_t length = bytes_of(point);
    const std::string text = encode(point, length);
    ASSERT_EQ(utf8_sequence(text), length) << point;
    ASSERT_EQ(utf8_sequence(text + "\x80"), length) << point;
  }
}

TEST(Utf8, SurrogatesOverlongFormsAndWhatIsTooLargeAreNone) {
  for (uint32_t point = 0xD800; point <= 0xDFFF; ++point)
    ASSERT_EQ(utf8_sequence(encode(point, 3)), 0u) << point;
  for (uint32_t point = 0; point < 0x10000; ++point)
    for (size_t length = bytes_of(point) + 1; length <= 4; ++length)
      ASSERT_EQ(utf8_sequence(encode(point, length)), 0u) << point << " in " << length;
  for (uint32_t point = 0x110000; point < 0x200000; point += 0x40)
    ASSERT_EQ(utf8_sequence(encode(point, 4)), 0u) << point;
}

TEST(Utf8, NoByteBeyondAsciiIsACharacterByItself) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text(1, static_cast<char>(byte));
    EXPECT_EQ(utf8_sequence(text), byte < 0x80 ? 1u : 0u) << byte;
    EXPECT_EQ(utf8_sequence(text + "a"), byte < 0x80 ? 1u : 0u) << byte;
  }
}

TEST(Utf8, ASequenceThatIsCutOffOrBrokenIsNone) {
  for (const std::string_view whole : {"\u00e9", "\u20ac", "\U0001F600"}) {
    for (size_t size = 1; size < whole.size(); ++size) {
      const std::string front(whole.substr(0, size));
      EXPECT_EQ(utf8_sequence(front), 0u) << front;
      for (const char wrong : {'\0', '\x7f', '\xc0', '\xff'})
        EXPECT_EQ(utf8_sequence(front + wrong + "\x80\x80"), 0u) << front;
    }
  }
}

TEST(Utf8, CutsBetweenSequencesAndWhereBytesAreNone) {
  EXPECT_EQ(cut_utf8("abc", 3), "abc");
  EXPECT_EQ(cut_utf8("abcd", 3), "abc");
  EXPECT_EQ(cut_utf8("abcd", 0), "");
  EXPECT_EQ(cut_utf8("a\xC3\xA9", 2), "a");
  EXPECT_EQ(cut_utf8("\xC3\xA9z", 2), "\xC3\xA9");
  EXPECT_EQ(cut_utf8("a\xF0\x9F\x98\x80", 4), "a");
  EXPECT_EQ(cut_utf8("\x80\x80\x80\x80\x80\x80", 5), "\x80\x80\x80\x80\x80");
  EXPECT_EQ(cut_utf8("ab\xFFz", 3), "ab\xFF");
  EXPECT_EQ(cut_utf8("\u20ac\u20ac", 5), "\u20ac");
  EXPECT_EQ(cut_utf8("\U0001f600x", 3), "");
  EXPECT_EQ(cut_utf8("\x80\x80\x80\x80\x80\x80", 4), "\x80\x80\x80\x80");
}

TEST(Utf8, ReplacesEachByteThatIsOfNoSequence) {
  const std::string r(kReplacementCharacter);
  EXPECT_EQ(well_formed_utf8(""), "");
  EXPECT_EQ(well_formed_utf8("/caf\xC3\xA9"), "/caf\xC3\xA9");
  EXPECT_EQ(well_formed_utf8("/bad\xff\xfe"), "/bad" + r + r);
  EXPECT_EQ(well_formed_utf8("a\xff\xfe", 5), "a" + r);
  EXPECT_EQ(well_formed_utf8("\xC3\xA9\xC3(\xE2\x82"), "\xC3\xA9" + r + "(" + r + r);
}

}  // namespace
}  // namespace sonde
