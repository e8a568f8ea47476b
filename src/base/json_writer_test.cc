// SPDX-License-Identifier: Apache-2.0
// What the JSON writer writes is valid JSON whatever it is given.
#include "base/json_writer.h"

#include <gtest/gtest.h>

#include <limits>

namespace sonde {
namespace {

TEST(JsonWriter, PutsCommasWhereTheyBelong) {
  JsonWriter w;
  w.object()
      .member("a", 1)
      .member("b", "x")
      .key("c")
      .array()
      .value(true)
      .null()
      .object()
      .end()
      .end();
  w.member("d", 0.25).member("e", std::optional<double>()).member("f", std::string("y")).end();
  EXPECT_EQ(w.take(), R"({"a":1,"b":"x","c":[true,null,{}],"d":0.25,"e":null,"f":"y"})");
}

TEST(JsonWriter, EscapesControlCharactersAndQuotes) {
  JsonWriter w;
  w.value(std::string_view("a\"\\\n\x01z\0", 7));
  EXPECT_EQ(w.str(), "\"a\\\"\\\\\\n\\u0001z\\u0000\"");
}

TEST(JsonWriter, ReplacesInvalidUtf8AndKeepsValidOne) {
  JsonWriter w;
  w.array()
      .value("gr\xC3\xBC\xC3\x9F \xF0\x9F\x90\x9D")
      .value("\xC0\x80\xFFx\xED\xA0\x80\xE2\x82")
      .end();
  std::string bad = "\"";
  for (int i = 0; i < 3; ++i) bad += "\xEF\xBF\xBD";
  bad += "x";
  for (int i = 0; i < 5; ++i) bad += "\xEF\xBF\xBD";
  EXPECT_EQ(w.take(), "[\"gr\xC3\xBC\xC3\x9F \xF0\x9F\x90\x9D\"," + bad + "\"]");
}

TEST(JsonWriter, NumbersThatJsonLacksBecomeNull) {
  JsonWriter w;
  w.array()
      .value(std::numeric_limits<double>::quiet_NaN())
      .value(std::numeric_limits<double>::infinity());
  w.value(std::numeric_limits<uint64_t>::max()).value(int64_t{-5}).end();
  EXPECT_EQ(w.take(), "[null,null,18446744073709551615,-5]");
}

}  // namespace
}  // namespace sonde
