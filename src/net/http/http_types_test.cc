// SPDX-License-Identifier: Apache-2.0
#include "net/http/http_types.h"

#include <gtest/gtest.h>

#include "net/http/internal/http_parse.h"

namespace sonde::net {
namespace {

int status_of(std::string_view bytes) {
  Request request;
  const auto refusal = parse_request(bytes, 16384, 1024, request);
  return refusal ? refusal->status : 200;
}

TEST(RetryAfter, IsSecondsOrADate) {
  using std::chrono::hours;
  using std::chrono::seconds;
  constexpr int64_t kNow = int64_t{784111700} * 1'000'000'000;
  EXPECT_EQ(retry_after("120", kNow), seconds(120));
  EXPECT_EQ(retry_after("Sun, 06 Nov 1994 08:49:37 GMT", kNow), seconds(77));
  EXPECT_EQ(retry_after("Sunday, 06-Nov-94 08:49:37 GMT", kNow), seconds(77));
  EXPECT_EQ(retry_after("Sun Nov  6 08:49:37 1994", kNow), seconds(77));
  EXPECT_EQ(retry_after("Sat, 05 Nov 1994 08:49:37 GMT", kNow), seconds(0));
  // No clock is so wrong that it should stop a queue for a day.
  EXPECT_EQ(retry_after("Sun, 06 Nov 2094 08:49:37 GMT", kNow), hours(1));
  EXPECT_EQ(retry_after("99999999999999999999", kNow), hours(1));
  for (const char* nothing : {"", "soon", "-5", "12 apples", "1.5", "Sun, 06 Nov 1994 08:49:37"}) {
    EXPECT_EQ(retry_after(nothing, kNow), seconds(0)) << nothing;
  }
}

TEST(MediaType, HasNoParametersAndLowerCase) {
  EXPECT_EQ(media_type("Application/JSON ; charset=utf-8"), "application/json");
  EXPECT_EQ(media_type(""), "");
}

TEST(BasicAuthorization, AlwaysHasAColonBehindTheUser) {
  EXPECT_EQ(basic_authorization("a%40b:p%3aw"), "Basic YUBiOnA6dw==");
  EXPECT_EQ(basic_authorization("token"), "Basic dG9rZW46");
  EXPECT_EQ(basic_authorization("user:%zz"), std::nullopt);
}

TEST(Request, DecodesPathAndQuery) {
  Request r;
  ASSERT_FALSE(
      parse_request("GET /a%20b?x=1%2B2&y=a+b&z&y=2 HTTP/1.1\r\nHost: h\r\n\r\n", 16384, 1024, r));
  EXPECT_EQ(r.path, "/a b");
  EXPECT_EQ(r.query, "x=1%2B2&y=a+b&z&y=2");
  EXPECT_EQ(r.query_param("x"), "1+2");
  EXPECT_EQ(r.query_param("y"), "a b");
  EXPECT_EQ(r.query_param("z"), "");
  EXPECT_EQ(r.query_param("none"), std::nullopt);
  EXPECT_EQ(r.header("hOsT"), "h");
}

TEST(Request, AcceptsAnAbsoluteTarget) {
  Request r;
  ASSERT_FALSE(parse_request("GET http://h/p?q HTTP/1.1\r\nHost: h\r\n\r\n", 16384, 1024, r));
  EXPECT_EQ(r.path, "/p");
  EXPECT_EQ(r.query, "q");
}

TEST(Request, SeesHeadAsGet) {
  Request r;
  ASSERT_FALSE(parse_request("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", 16384, 1024, r));
  EXPECT_EQ(r.method, "GET");
  EXPECT_TRUE(r.head);
}

TEST(Request, RefusesWhatCouldBeReadInTwoWays) {
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), 400);
  EXPECT_EQ(
      status_of("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
      400);
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: "
                      "chunked\r\n\r\n0\r\n\r\n"),
            400);
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n"), 501);
  EXPECT_EQ(
      status_of("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
      501);
  EXPECT_EQ(status_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost : a\r\n\r\n"), 400);
}

TEST(Request, RefusesBadTargetsAndVersions) {
  EXPECT_EQ(status_of("GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET nowhere HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), 505);
  EXPECT_EQ(status_of("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505);
  EXPECT_EQ(status_of("\x16\x03\x01"), 400);
}

TEST(Request, KnowsItsLimits) {
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1025\r\n\r\n"), 413);
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n800\r\n" +
                      std::string(2048, 'x')),
            413);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(20000, 'x')), 431);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\n"), 0);
}

TEST(Request, ReadsAChunkedBody) {
  Request r;
  ASSERT_FALSE(
      parse_request("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
                    16384, 1024, r));
  EXPECT_EQ(r.body.view(), "abcde");
}

TEST(PercentDecode, RefusesBrokenEscapes) {
  EXPECT_EQ(percent_decode("a%2Fb"), "a/b");
  EXPECT_EQ(percent_decode("%"), std::nullopt);
  EXPECT_EQ(percent_decode("%4"), std::nullopt);
  EXPECT_EQ(percent_decode("%g0"), std::nullopt);
}

}  // namespace
}  // namespace sonde::net
