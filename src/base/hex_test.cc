// SPDX-License-Identifier: Apache-2.0
#include "base/hex.h"

#include <gtest/gtest.h>

#include <charconv>

namespace sonde {
namespace {

TEST(Hex, EveryByteIsReadAsItIsWrittenInEitherCase) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string bytes(1, static_cast<char>(byte));
    std::string text = to_hex(bytes);
    ASSERT_EQ(text.size(), 2u);
    int value = -1;
    std::from_chars(text.data(), text.data() + text.size(), value, 16);
    EXPECT_EQ(value, byte);
    std::string read;
    EXPECT_TRUE(from_hex(text, read));
    for (char& c : text)
      if (c >= 'a') c = static_cast<char>(c - 'a' + 'A');
    EXPECT_TRUE(from_hex(text, read));
    EXPECT_EQ(read, bytes + bytes);
  }
  // RFC 4648, section 10.
  EXPECT_EQ(to_hex("foobar"), "666f6f626172");
  EXPECT_EQ(to_hex(""), "");
}

TEST(Hex, IsAppendedToWhatIsThere) {
  std::string out = "0x";
  append_hex(out, "\xab");
  append_hex(out, "");
  EXPECT_EQ(out, "0xab");
  EXPECT_TRUE(from_hex("6a", out));
  EXPECT_TRUE(from_hex("", out));
  EXPECT_EQ(out, "0xabj");
}

TEST(Hex, NothingButTwentyTwoLettersIsADigit) {
  for (int c = 0; c < 256; ++c) {
    const int value = hex_digit(static_cast<char>(c));
    const std::string_view known = "0123456789abcdefABCDEF";
    EXPECT_EQ(value >= 0, known.contains(static_cast<char>(c))) << c;
  }
  EXPECT_EQ(hex_digit('0'), 0);
  EXPECT_EQ(hex_digit('9'), 9);
  EXPECT_EQ(hex_digit('a'), 10);
  EXPECT_EQ(hex_digit('F'), 15);
}

TEST(Hex, RefusesHalfAByteAndWhatIsNoDigit) {
  for (const std::string_view wrong :
       {"0", "abc", "0x", "0g", "g0", " 0", "-1", "+1", "\xc3\xa9"}) {
    std::string out;
    EXPECT_FALSE(from_hex(wrong, out)) << wrong;
  }
}

}  // namespace
}  // namespace sonde
