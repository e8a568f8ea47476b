// SPDX-License-Identifier: Apache-2.0
#include "base/buffer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sonde {
namespace {

TEST(Buffer, BecomesBytesWithoutMovingAndGoesBackWithTheLastView) {
  const size_t before = buffer_use().used;
  Buffer buffer(10);
  buffer.append("hello");
  const char* const where = buffer.data();
  Bytes bytes = std::move(buffer).take();
  EXPECT_EQ(bytes.view(), "hello");
  EXPECT_EQ(bytes.data(), where);
  Bytes part = bytes.slice(1, 2);
  bytes = {};
  EXPECT_EQ(part.view(), "el");
  EXPECT_EQ(buffer_use().used, before + 4096);
  part = {};
  EXPECT_EQ(buffer_use().used, before);
}

TEST(Buffer, GrowsAndKeepsWhatWasWritten) {
  Buffer buffer;
  std::string expected;
  for (int i = 0; i < 5000; ++i) {
    buffer.append("0123456789");
    expected += "0123456789";
  }
  EXPECT_EQ(buffer.view(), expected);
}

TEST(Buffer, ReusesABlockOfTheSameSize) {
  release_idle_buffers();
  const char* where = nullptr;
  {
    Buffer buffer(100'000);
    where = buffer.data();
  }
  EXPECT_EQ(buffer_use().idle, size_t{131072});
  Buffer again(90'000);
  EXPECT_EQ(again.data(), where);
  EXPECT_EQ(buffer_use().idle, size_t{0});
}

TEST(Buffer, KeepsNoMoreIdleMemoryThanItsLimit) {
  release_idle_buffers();
  {
    std::vector<Buffer> many;
    for (int i = 0; i < 10; ++i) many.emplace_back(size_t{8} << 20);
    many.emplace_back(size_t{64} << 20);  // Above the largest kept block.
  }
  EXPECT_EQ(buffer_use().idle, size_t{32} << 20);
  release_idle_buffers();
  EXPECT_EQ(buffer_use().idle, size_t{0});
}

TEST(Buffer, KeepsItsCompanionAsLongAsTheBytes) {
  auto companion = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = companion;
  Buffer buffer(1);
  buffer.append("x");
  Bytes bytes = std::move(buffer).take(std::move(companion));
  EXPECT_FALSE(watch.expired());
  bytes = {};
  EXPECT_TRUE(watch.expired());
}

}  // namespace
}  // namespace sonde
