// SPDX-License-Identifier: Apache-2.0
// Who may ask, and the JSON that is answered.
#include <gtest/gtest.h>

#include "components/extension/console/answers.h"

namespace sonde::console {
namespace {

TEST(Console, ServesOnlyNamesOfThisMachine) {
  EXPECT_TRUE(host_allowed("127.0.0.1:4400", "", 4400));
  EXPECT_TRUE(host_allowed("localhost:4400", "", 4400));
  EXPECT_TRUE(host_allowed("[::1]:4400", "", 4400));
  EXPECT_FALSE(host_allowed("evil.example:4400", "", 4400));
  EXPECT_FALSE(host_allowed("127.0.0.1:80", "", 4400));
  EXPECT_FALSE(host_allowed("127.0.0.1", "", 4400));
  EXPECT_FALSE(host_allowed("", "", 4400));
}

TEST(Console, GoesWhereWasAskedForButNeverToAnotherHost) {
  EXPECT_EQ(local_path("/pipelines?token=a"), "/pipelines");
  EXPECT_EQ(local_path("/services/shop"), "/services/shop");
  for (const char* other :
       {"//evil.example/x", "/\\evil.example", "*", "http://evil.example/", ""}) {
    EXPECT_EQ(local_path(other), "/") << other;
  }
}

TEST(Console, FindsItsCookieAmongOthers) {
  EXPECT_EQ(cookie("a=1; sonde_token=xyz; b=2", "sonde_token"), "xyz");
  EXPECT_EQ(cookie("sonde_token=", "sonde_token"), "");
  EXPECT_EQ(cookie("not_sonde_token=xyz", "sonde_token"), "");
}

TEST(Console, HasACookieOfItsOwnThatDoesNotTellTheToken) {
  EXPECT_EQ(session_cookie(4400), "sonde_token_4400");
  const std::string value = session_value("secret", 4400);
  EXPECT_EQ(value.size(), 64u);
  EXPECT_EQ(value,
            session_value("secret", 4400));  // Whoever has signed in stays so after a reload.
  EXPECT_NE(value, session_value("secret", 4401));
  EXPECT_NE(value, session_value("secreT", 4400));
}

TEST(Console, KnowsWhichPageABrowserAsksFor) {
  const std::string_view host = "127.0.0.1:4400";
  EXPECT_TRUE(from_own_page("", "", host));
  EXPECT_TRUE(from_own_page("http://127.0.0.1:4400", "same-origin", host));
  EXPECT_TRUE(from_own_page("http://LOCALHOST:4400", "", "localhost:4400"));
  EXPECT_TRUE(from_own_page("", "none", host));
  for (const std::string_view site : {"same-site", "cross-site", "what"}) {
    EXPECT_FALSE(from_own_page("", site, host)) << site;
    EXPECT_FALSE(from_own_page("http://127.0.0.1:4400", site, host)) << site;
  }
  for (const std::string_view origin : {"http://127.0.0.1:3000", "http://evil.example", "null",
                                        "http://127.0.0.1", "http://127.0.0.1:44000", "http://"}) {
    EXPECT_FALSE(from_own_page(origin, "", host)) << origin;
  }
}

TEST(Console, TakesOnlyTheWholeToken) {
  EXPECT_TRUE(same_token("abc", "abc"));
  EXPECT_FALSE(same_token("ab", "abc"));
  EXPECT_FALSE(same_token("", "abc"));
  EXPECT_FALSE(same_token("abd", "abc"));
}

TEST(Console, SaysWhatAReloadDid) {
  EXPECT_EQ(reload_json({.kept = 3, .started = 2, .stopped = 1}),
            R"({"kept":3,"started":2,"stopped":1})");
}

TEST(Console, ReadsRanges) {
  EXPECT_EQ(parse_range("5m"), 300);
  EXPECT_EQ(parse_range("90s"), 90);
  EXPECT_EQ(parse_range("300"), 300);
  for (auto bad : {"", "m", "-5m", "5x", "99999999999999999999"}) EXPECT_EQ(parse_range(bad), 0);
}

TEST(Console, WritesUnknownAsNull) {
  rollup::Book book;
  rollup::Observation o;
  o.service = "shop";
  o.server = false;
  o.server_address = "api";
  o.duration_ns = 1000;
  o.end_unix_ns = 1'700'000'000'000'000'000;
  book.observe(o, o.end_unix_ns);
  auto a = book.service("shop", 300, o.end_unix_ns);
  ASSERT_TRUE(a);
  std::string json = service_json(*a);
  EXPECT_NE(json.find(R"("unit":null)"), std::string::npos);
  EXPECT_NE(json.find(R"("p95":null)"), std::string::npos);
  EXPECT_NE(json.find(R"("baseline":null)"), std::string::npos);
  EXPECT_NE(json.find(R"("peer":"api")"), std::string::npos);
  EXPECT_EQ(error_json("a", "b", "c"), R"({"error":{"what":"a","why":"b","do":"c"}})");
}

}  // namespace
}  // namespace sonde::console
