// SPDX-License-Identifier: Apache-2.0
#include "net/http/cookie_jar.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace sonde::net {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kNow = 1'700'000'000 * kSecond;  // 14 November 2023, 22:13:20

class CookieJarTest : public testing::Test {
 protected:
  void take(std::string_view header, std::string_view path = "/v1/traces") {
    jar_.take(header, path, kNow);
  }
  std::string sent(std::string_view path = "/v1/traces", bool tls = false, int64_t later_s = 0) {
    return jar_.header(path, tls, kNow + later_s * kSecond);
  }
  CookieJar jar_;
};

TEST_F(CookieJarTest, SendsBackWhatCame) {
  take("lb=server-1; Path=/; HttpOnly; SameSite=Lax");
  take(" a = b=c ; path=/");
  take("empty=; Path=/");
  EXPECT_EQ(sent(), "lb=server-1; a=b=c; empty=");
  take("lb=server-2; Path=/");
  EXPECT_EQ(sent(), "lb=server-2; a=b=c; empty=");
}

TEST_F(CookieJarTest, KeepsToThePath) {
  take("root=1; Path=/");
  take("own=2");  // As if /v1 were said.
  take("deep=3; Path=/v1/traces/x");
  take("odd=4; Path=v1");  // As if it were not said.
  take("query=5; Path=/q", "/q?a=/b/c");
  EXPECT_EQ(sent(), "own=2; odd=4; root=1");
  EXPECT_EQ(sent("/v1/traces/x?y"), "deep=3; own=2; odd=4; root=1");
  EXPECT_EQ(sent("/v10"), "root=1");
  EXPECT_EQ(sent("/q"), "query=5; root=1");
}

TEST_F(CookieJarTest, ForgetsWhatEnds) {
  take("age=1; Max-Age=10; Expires=Wed, 21 Oct 2015 07:28:00 GMT");
  take("date=2; Expires=Tue, 14 Nov 2023 22:13:25 GMT");
  take("old=3; expires=Tue, 14-Nov-2023 22:13:25 GMT");
  take("wrong=4; Max-Age=soon; Expires=tomorrow");
  take("huge=5; Max-Age=99999999999999999999");
  EXPECT_EQ(sent(), "age=1; date=2; old=3; wrong=4; huge=5");
  EXPECT_EQ(sent("/v1/traces", false, 6), "age=1; wrong=4; huge=5");
  EXPECT_EQ(sent("/v1/traces", false, 11), "wrong=4; huge=5");
  take("wrong=; Max-Age=0");
  take("huge=; Max-Age=-99999999999999999999");
  EXPECT_EQ(sent(), "");
  EXPECT_EQ(jar_.size(), 0u);
}

TEST_F(CookieJarTest, SendsSecureOnesOverTlsOnly) {
  take("a=1; Secure; Path=/");
  EXPECT_EQ(sent(), "");
  EXPECT_EQ(sent("/v1/traces", true), "a=1");
}

TEST_F(CookieJarTest, LeavesOutWhatIsNoCookie) {
  for (const std::string_view wrong :
       {"", ";", "=", "=value", "name", "a\x01=b", "a=b\r\nX: y", "a=\x7f", "; Path=/"}) {
    take(wrong);
  }
  take("a=" + std::string(CookieJar::kMostBytes, 'x'));
  take("a=b; Path=/" + std::string(CookieJar::kMostBytes, 'x'));
  EXPECT_EQ(jar_.size(), 0u);
}

TEST_F(CookieJarTest, IsBounded) {
  for (size_t i = 0; i <= CookieJar::kMostCookies; ++i) take(fmt::format("c{}=1; Path=/", i));
  EXPECT_EQ(jar_.size(), CookieJar::kMostCookies);
  EXPECT_TRUE(sent().starts_with("c1=1; c2=1; "));
}

}  // namespace
}  // namespace sonde::net
