// SPDX-License-Identifier: Apache-2.0
// Collector 0.158 made the same texts of the same values, but for HidesNothing.
#include "data/collector_text.h"

#include <gtest/gtest.h>

#include <limits>

#include "data/text_value.h"

namespace sonde {
namespace {

namespace any = otlp::any_value;

// Of a value in the text form.
std::string text_of(std::string_view written) {
  text::Cursor at{written};
  std::string bytes;
  EXPECT_TRUE(text::parse_value(at, bytes)) << written << ": " << at.error;
  return collector_text(AnyValueView(bytes));
}

std::string text_of(double value) {
  std::string bytes;
  proto::Writer(bytes).fixed64(any::kDouble, std::bit_cast<uint64_t>(value));
  return collector_text(AnyValueView(bytes));
}

std::string array_of(std::string_view any_value) {
  std::string list;
  proto::Writer(list).bytes(otlp::list::kValues, any_value);
  std::string out;
  proto::Writer(out).bytes(any::kArray, list);
  return out;
}

std::string text_of_string_in_array(std::string_view content) {
  std::string string;
  proto::Writer(string).bytes(any::kString, content);
  return collector_text(AnyValueView(array_of(string)));
}

TEST(CollectorText, SpellsPlainValues) {
  EXPECT_EQ(text_of("null"), "");
  EXPECT_EQ(text_of("\"a<b>&\\\"\\\\/\""), "a<b>&\"\\/");
  EXPECT_EQ(text_of("true"), "true");
  EXPECT_EQ(text_of("false"), "false");
  EXPECT_EQ(text_of("-5"), "-5");
  EXPECT_EQ(text_of("-9223372036854775808"), "-9223372036854775808");
  EXPECT_EQ(text_of("0x00ff34313131"), "AP80MTEx");
}

TEST(CollectorText, SpellsDoubles) {
  EXPECT_EQ(text_of(0.0), "0");
  EXPECT_EQ(text_of(-0.0), "-0");
  EXPECT_EQ(text_of(1.0), "1");
  EXPECT_EQ(text_of(-2.5), "-2.5");
  EXPECT_EQ(text_of(0.1), "0.1");
  EXPECT_EQ(text_of(1.0 / 3), "0.3333333333333333");
  EXPECT_EQ(text_of(123456789.125), "123456789.125");
  EXPECT_EQ(text_of(100000.0), "100000");
  EXPECT_EQ(text_of(4111111111111111111.0), "4111111111111111000");
  EXPECT_EQ(text_of(1e20), "100000000000000000000");
  EXPECT_EQ(text_of(1e21), "1e+21");
  EXPECT_EQ(text_of(1.5e21), "1.5e+21");
  EXPECT_EQ(text_of(1e-6), "0.000001");
  EXPECT_EQ(text_of(1.25e-6), "0.00000125");
  EXPECT_EQ(text_of(-1e-7), "-1e-7");
  EXPECT_EQ(text_of(1.5e-10), "1.5e-10");
  EXPECT_EQ(text_of(1e100), "1e+100");
  EXPECT_EQ(text_of(5e-324), "5e-324");
  EXPECT_EQ(text_of(std::numeric_limits<double>::max()), "1.7976931348623157e+308");
  EXPECT_EQ(text_of(std::numeric_limits<double>::quiet_NaN()), "NaN");
  EXPECT_EQ(text_of(std::numeric_limits<double>::infinity()), "Infinity");
  EXPECT_EQ(text_of(-std::numeric_limits<double>::infinity()), "-Infinity");
}

TEST(CollectorText, WritesArraysAndMapsAsCompactJson) {
  EXPECT_EQ(text_of("[]"), "[]");
  EXPECT_EQ(text_of("{}"), "{}");
  EXPECT_EQ(text_of("[null, [], {}, true, -1, 1.0, 0x0102, 0x, \"a\"]"),
            "[null,[],{},true,-1,1,\"AQI=\",null,\"a\"]");
  EXPECT_EQ(text_of("{b = 1, \"\" = \"e\", a = 2, B = {z = [1], y = 2}, \"é\" = 3}"),
            "{\"\":\"e\",\"B\":{\"y\":2,\"z\":[1]},\"a\":2,\"b\":1,\"é\":3}");
  EXPECT_EQ(text_of("{\"<k&\\n>\" = \"<v>\"}"), "{\"<k&\\n>\":\"<v>\"}");
}

TEST(CollectorText, EscapesWhatGoEscapes) {
  EXPECT_EQ(text_of_string_in_array(std::string_view("<>&'\"\\/\b\f\n\r\t\0\x01\x1f\x7f", 16)),
            "[\"<>&'\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u0001\\u001f\x7f\"]");
  EXPECT_EQ(text_of_string_in_array("\u0080\u2028\u2029é\U0001F600"),
            "[\"\u0080\\u2028\\u2029é\U0001F600\"]");
  // Of bytes that are no UTF-8 each is told.
  EXPECT_EQ(text_of_string_in_array("a\xff\xe2\x80z\xed\xa0\x80"),
            "[\"a\\ufffd\\ufffd\\ufffdz\\ufffd\\ufffd\\ufffd\"]");
}

TEST(CollectorText, HidesNothing) {
  EXPECT_EQ(text_of("{a = 1, b = 2, a = \"secret\"}"), "{\"a\":1,\"a\":\"secret\",\"b\":2}");
  EXPECT_EQ(text_of("[nan, \"secret\"]"), "[\"NaN\",\"secret\"]");
  EXPECT_EQ(text_of("[inf, -inf]"), "[\"Infinity\",\"-Infinity\"]");
}

TEST(CollectorText, GoesAsDeepAsAPeerNests) {
  constexpr size_t kDepth = 20'000;
  std::string value;
  proto::Writer(value).bytes(any::kString, "x");
  for (size_t i = 0; i < kDepth; ++i) value = array_of(value);
  EXPECT_EQ(collector_text(AnyValueView(value)),
            std::string(kDepth, '[') + "\"x\"" + std::string(kDepth, ']'));
}

}  // namespace
}  // namespace sonde
