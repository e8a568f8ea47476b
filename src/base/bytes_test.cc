// SPDX-License-Identifier: Apache-2.0
// Sharing and slicing of immutable bytes.
#include "base/bytes.h"

#include <gtest/gtest.h>

namespace sonde {
namespace {

TEST(Bytes, SliceOutlivesTheWholeAndSharesItsStorage) {
  Bytes slice;
  const char* where = nullptr;
  {
    const Bytes whole = Bytes::copy("hello world");
    where = whole.data();
    slice = whole.slice(6, 5);
  }
  EXPECT_EQ(slice.view(), "world");
  EXPECT_EQ(slice.data(), where + 6);
}

TEST(Bytes, SliceIsClamped) {
  const Bytes bytes = Bytes::copy("abc");
  EXPECT_EQ(bytes.slice(1, 100).view(), "bc");
  EXPECT_TRUE(bytes.slice(3).empty());
  EXPECT_TRUE(bytes.slice(9, 1).empty());
}

TEST(Bytes, TakeKeepsShortStringsInPlaceToo) {
  Bytes copy;
  {
    const Bytes bytes = Bytes::take("x");
    copy = bytes;
  }
  EXPECT_EQ(copy.view(), "x");
  EXPECT_TRUE(Bytes::take("").empty());
  EXPECT_EQ(copy, Bytes::copy("x"));
}

}  // namespace
}  // namespace sonde
