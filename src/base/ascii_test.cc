// SPDX-License-Identifier: Apache-2.0
#include "base/ascii.h"

#include <gtest/gtest.h>

namespace sonde {
namespace {

TEST(Ascii, LettersAndDigitsAreThoseOfEnglishOnly) {
  const std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  const std::string_view digits = "0123456789";
  for (int i = 0; i < 256; ++i) {
    const char c = static_cast<char>(i);
    EXPECT_EQ(is_letter(c), letters.contains(c)) << i;
    EXPECT_EQ(is_digit(c), digits.contains(c)) << i;
    EXPECT_EQ(is_alphanumeric(c), letters.contains(c) || digits.contains(c)) << i;
    const size_t place = letters.find(c);
    EXPECT_EQ(lower(c), place < letters.size() ? letters[place % 26] : c) << i;
  }
}

}  // namespace
}  // namespace sonde
