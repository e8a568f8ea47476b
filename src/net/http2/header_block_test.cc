// SPDX-License-Identifier: Apache-2.0
#include "net/http2/header_block.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <string>

#include "net/testing/h2_frames.h"

namespace sonde::net::http2 {
namespace {

std::string text_of(const Headers& fields) {
  std::string out;
  for (const auto& [name, value] : fields) out += name + "=" + value + ";";
  return out;
}

TEST(HeaderBlock, KnowsWhichBlocksChangeTheTable) {
  EXPECT_FALSE(changes_table(""));
  EXPECT_FALSE(changes_table("\x82\x86\xbe"));                        // indexed
  EXPECT_FALSE(changes_table(literals({{"a", "b"}})));                // not inserted
  EXPECT_FALSE(changes_table(std::string_view("\x0f\x10\x01x", 4)));  // a name of the static table
  EXPECT_FALSE(
      changes_table(std::string_view("\x10\x01"
                                     "a\x01"
                                     "b",
                                     5)));  // never inserted
  EXPECT_TRUE(
      changes_table(std::string_view("\x40\x01"
                                     "a\x01"
                                     "b",
                                     5)));
  EXPECT_TRUE(changes_table("\x82\x7e\x01x"));
  EXPECT_TRUE(changes_table("\x20"));  // a size of 0
  EXPECT_TRUE(
      changes_table(std::string_view("\0\x05"
                                     "a",
                                     3)));                 // cut short
  EXPECT_TRUE(changes_table("\xff\xff\xff\xff\xff\xff"));  // a number without an end
}

TEST(HeaderBlock, GivesEqualBlocksTheSameFieldsUntilTheTableChanges) {
  HeaderEncoder encoder;
  HeaderDecoder decoder(4096);
  HeaderBlock block{{{":path", "/a"}, {"user", "x"}}};
  const FieldsPtr first = decoder.decode(encoder.encode(block));   // inserts
  const FieldsPtr second = decoder.decode(encoder.encode(block));  // refers to what was inserted
  const FieldsPtr third = decoder.decode(encoder.encode(block));
  EXPECT_EQ(text_of(first->list), ":path=/a;user=x;");
  EXPECT_EQ(text_of(second->list), text_of(first->list));
  EXPECT_EQ(second, third);
  HeaderBlock other{{{"user", "y"}}};
  EXPECT_EQ(text_of(decoder.decode(encoder.encode(other))->list), "user=y;");
  EXPECT_EQ(text_of(decoder.decode(encoder.encode(block))->list), text_of(first->list));
}

// Both ends must agree whatever is sent between two equal blocks, with every table size.
TEST(HeaderBlock, MeansTheSameAtBothEndsWhateverCameBetween) {
  for (const uint32_t seed : {1U, 2U, 3U, 4U}) {
    std::mt19937 random(seed);
    HeaderEncoder encoder;
    HeaderDecoder decoder(1 << 20);
    std::deque<HeaderBlock> blocks;
    for (int i = 0; i < 4000; ++i) {
      if (random() % 200 == 0) encoder.limit_table(static_cast<uint32_t>(random() % 5000));
      if (blocks.size() < 8 && random() % 20 == 0) {
        HeaderBlock& made = blocks.emplace_back();
        for (size_t n = random() % 6; n > 0; --n) {
          made.fields.push_back({"name-" + std::to_string(random() % 9),
                                 std::string(random() % 300, static_cast<char>('a' + n))});
        }
      }
      if (blocks.empty()) continue;
      HeaderBlock& block = blocks[random() % blocks.size()];
      if (random() % 50 == 0) block = {{{"fresh", std::to_string(random())}}};
      const FieldsPtr fields = decoder.decode(encoder.encode(block));
      ASSERT_TRUE(fields);
      ASSERT_EQ(text_of(fields->list), text_of(block.fields)) << "seed " << seed << " step " << i;
    }
  }
}

TEST(HeaderBlock, KeepsNoMoreThanItsLimitAndGoesOn) {
  HeaderEncoder encoder;
  HeaderDecoder decoder(100);
  HeaderBlock large{{{"a", "b"}, {"large", std::string(70, 'x')}, {"large", std::string(70, 'x')}}};
  const FieldsPtr fields = decoder.decode(encoder.encode(large));
  ASSERT_TRUE(fields);
  EXPECT_TRUE(fields->too_large);
  EXPECT_EQ(text_of(fields->list), "a=b;");
  HeaderBlock small{{{"c", "d"}}};
  const FieldsPtr next = decoder.decode(encoder.encode(small));
  EXPECT_FALSE(next->too_large);
  EXPECT_EQ(text_of(next->list), "c=d;");
}

TEST(HeaderBlock, RefusesWhatIsNoHpack) {
  EXPECT_FALSE(HeaderDecoder(4096).decode("\xff\xff\xff\xff\xff\xff"));
  EXPECT_FALSE(HeaderDecoder(4096).decode("\xbe"));  // of an empty table
  EXPECT_FALSE(
      HeaderDecoder(4096).decode(std::string_view("\0\x05"
                                                  "a",
                                                  3)));
}

TEST(HeaderBlock, JudgesWhatAListMayBe) {
  const auto judged = [](std::initializer_list<std::pair<std::string_view, std::string_view>> f) {
    const FieldsPtr fields = HeaderDecoder(4096).decode(literals(f));
    return std::string(fields->request ? "request " : "") + (fields->response ? "response " : "") +
           (fields->interim ? "interim " : "") + (fields->trailers ? "trailers" : "");
  };
  EXPECT_EQ(judged({{":method", "POST"}, {":scheme", "http"}, {":path", "/"}}), "request ");
  EXPECT_EQ(judged({{":method", "POST"}, {":scheme", "http"}}), "");
  EXPECT_EQ(judged({{":status", "200"}, {"a", "b"}}), "response ");
  EXPECT_EQ(judged({{":status", "100"}}), "response interim ");
  EXPECT_EQ(judged({{":status", "2"}}), "");
  EXPECT_EQ(judged({{"grpc-status", "0"}}), "trailers");
  EXPECT_EQ(judged({{"a", "b"}, {":status", "200"}}), "");
  EXPECT_EQ(judged({{":status", "200"}, {":status", "200"}}), "");
  EXPECT_EQ(judged({{"A", "b"}}), "");
  EXPECT_EQ(judged({{"connection", "close"}}), "");
  EXPECT_EQ(judged({{"te", "gzip"}}), "");
  EXPECT_EQ(judged({{"te", "trailers"}}), "trailers");
  EXPECT_EQ(judged({{"a", "b\r\nc: d"}}), "");
}

}  // namespace
}  // namespace sonde::net::http2
