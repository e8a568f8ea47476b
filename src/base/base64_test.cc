// SPDX-License-Identifier: Apache-2.0
#include "base/base64.h"

#include <gtest/gtest.h>

namespace sonde {
namespace {

TEST(Base64, WritesWhatItReads) {
  // RFC 4648, section 10.
  EXPECT_EQ(encode_base64(""), "");
  EXPECT_EQ(encode_base64("f"), "Zg==");
  EXPECT_EQ(encode_base64("fo"), "Zm8=");
  EXPECT_EQ(encode_base64("foo"), "Zm9v");
  EXPECT_EQ(encode_base64("foobar"), "Zm9vYmFy");
  for (size_t size = 0; size < 70; ++size) {
    std::string bytes;
    for (size_t i = 0; i < size; ++i) bytes += static_cast<char>(i * 37 + size);
    EXPECT_EQ(decode_base64(encode_base64(bytes)), bytes);
    EXPECT_EQ(decode_any_base64(encode_base64(bytes)), bytes);
  }
}

TEST(Base64, IsStrictOrTakesAnyForm) {
  EXPECT_EQ(decode_base64("Zm9v\r\nYmFy\n"), "foobar");
  for (const char* wrong : {"Zg", "Zg=", "Zg=g", "Z===", "====", "Zg==Zg==", "Zm-v", "Zm9v!"}) {
    EXPECT_EQ(decode_base64(wrong), std::nullopt) << wrong;
  }
  EXPECT_EQ(decode_any_base64("Zg"), "f");
  EXPECT_EQ(decode_any_base64("Zg=="), "f");
  EXPECT_EQ(decode_any_base64("_-8"), "\xff\xef");
  EXPECT_EQ(decode_any_base64("/+8="), "\xff\xef");
  for (const char* wrong : {"Z", "Zg==Zg==", "Zm9v!", "Zm9v\n"}) {
    EXPECT_EQ(decode_any_base64(wrong), std::nullopt) << wrong;
  }
}

}  // namespace
}  // namespace sonde
