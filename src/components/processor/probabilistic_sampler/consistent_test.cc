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
  std::string many;
  for (int i = 0; i < 33; ++i) many += "k=v,";
  EXPECT_FALSE(TraceState::parse(many));
}

}  // namespace
}  // namespace sonde::sampling
