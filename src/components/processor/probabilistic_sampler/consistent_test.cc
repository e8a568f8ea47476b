// SPDX-License-Identifier: Apache-2.0
#include "components/processor/probabilistic_sampler/consistent.h"

#include <gtest/gtest.h>

namespace sonde::sampling {
namespace {

std::string text_of(double probability, int digits) {
  std::array<char, kDigits> to;
  return std::string(write(threshold_of(probability, digits).value_or(kNever), to));
}

TEST(Consistent, WritesThresholdsAsTheSpecificationDoes) {
  EXPECT_EQ(text_of(1, 4), "0");
  EXPECT_EQ(text_of(0.5, 4), "8");
  EXPECT_EQ(text_of(0.25, 4), "c");
  EXPECT_EQ(text_of(0.75, 4), "4");
  EXPECT_EQ(text_of(1.0 / 3, 3), "aab");
  EXPECT_EQ(text_of(0.01, 4), "fd70a");
  EXPECT_EQ(text_of(1.0 / kMost, 14), "ffffffffffffff");
  EXPECT_FALSE(threshold_of(0.9 / kMost, 4));
  EXPECT_FALSE(threshold_of(1.1, 4));
}

TEST(Consistent, ReadsWhatItWrites) {
  EXPECT_EQ(read_threshold("8")->value, kMost / 2);
  EXPECT_EQ(read_threshold("8")->probability(), 0.5);
  EXPECT_FALSE(read_threshold(""));
  EXPECT_FALSE(read_threshold("123456789abcdef"));
  EXPECT_FALSE(read_threshold("G"));
  EXPECT_FALSE(read_randomness("123"));
  EXPECT_EQ(read_randomness("00000000000001")->value, 1u);
  const std::string id = std::string(8, '\xff') + std::string("\xff\1\2\3\4\5\6\7", 8);
  EXPECT_EQ(randomness_of_trace(id).value, 0x01020304050607u);
}

TEST(Consistent, TakesTraceStatesApart) {
  auto state = TraceState::parse("a=1, ot=x:2;th:c;rv:0123456789abcd ,b@c=3");
  ASSERT_TRUE(state);
  EXPECT_EQ(state->threshold->value, read_threshold("c")->value);
  state->threshold = read_threshold("e");
  std::string out;
  state->write_to(out);
  EXPECT_EQ(out, "ot=rv:0123456789abcd;th:e;x:2,a=1,b@c=3");
  EXPECT_FALSE(TraceState::parse("ot=th:xyz"));
  EXPECT_FALSE(TraceState::parse("ot=rv:1"));
  EXPECT_FALSE(TraceState::parse("novalue"));
  EXPECT_FALSE(TraceState::parse("ot=x:2 ;y:3"));
  EXPECT_TRUE(TraceState::parse(""));
}

// What a real Collector takes, and what not.
TEST(Consistent, KnowsATraceStateAsTheCollectorDoes) {
  const auto repeat = [](size_t n, char c) { return std::string(n, c); };
  const auto members = [](int n) {
    std::string text = "k=v";
    for (int i = 1; i < n; ++i) text += ",k=v";
    return text;
  };
  for (const std::string& good :
       {std::string(""), std::string(",ot=th:8,"), std::string("a=b ,\tot=th:8"),
        std::string("ot=rv:ABCDEF01234567"), std::string("1a@b=c"), std::string("a=b;c d"),
        std::string("ot=x:"), "a=" + repeat(256, 'x'), repeat(256, 'a') + "=b",
        repeat(241, 'a') + "@b=c", "b@" + repeat(14, 'a') + "=c", members(31)})
    EXPECT_TRUE(TraceState::parse(good)) << good;
  EXPECT_FALSE(TraceState::parse("ot=th:8,ot=x:1")->threshold);
  for (const std::string& bad :
       {std::string("ot="), std::string("ot= "), std::string("a="), std::string("ot=th:8;"),
        std::string("ot=;th:8"), std::string("1a=b"), std::string("A=b"), std::string("o@=x"),
        std::string("ot=1a:b"), std::string("a==b"), std::string("a=\xc3\xa9"),
        std::string("a=b=c"), "a=" + repeat(257, 'x'), repeat(257, 'a') + "=b",
        repeat(242, 'a') + "@b=c", "b@" + repeat(15, 'a') + "=c", members(32)})
    EXPECT_FALSE(TraceState::parse(bad)) << bad;
}

}  // namespace
}  // namespace sonde::sampling
