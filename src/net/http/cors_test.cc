// SPDX-License-Identifier: Apache-2.0
#include "net/http/cors.h"

#include <gtest/gtest.h>

namespace sonde::net {
namespace {

Request preflight_of(std::string_view origin, std::string_view headers = {},
                     std::string_view method = "POST") {
  Request request;
  request.method = "OPTIONS";
  request.headers = {{"Origin", std::string(origin)},
                     {"Access-Control-Request-Method", std::string(method)}};
  if (!headers.empty()) {
    request.headers.push_back({"Access-Control-Request-Headers", std::string(headers)});
  }
  return request;
}

std::string_view allowed(const Cors& cors, const Request& request, std::string_view name) {
  static Response response;
  response = cors.preflight(request);
  EXPECT_EQ(response.status, 204);
  EXPECT_TRUE(find_header(response.headers, "Vary").starts_with("Origin, Access-Control"));
  return find_header(response.headers, name);
}

TEST(Cors, AllowsTheOriginsThatItIsGiven) {
  const Cors cors({.allowed_origins = {"https://shop.example", "HTTPS://*.shop.example:8443"}});
  const auto origin = [&](std::string_view text) {
    return allowed(cors, preflight_of(text), "Access-Control-Allow-Origin");
  };
  EXPECT_EQ(origin("https://shop.example"), "https://shop.example");
  EXPECT_EQ(origin("https://SHOP.example"), "https://SHOP.example");
  EXPECT_EQ(origin("https://a.b.shop.example:8443"), "https://a.b.shop.example:8443");
  EXPECT_EQ(origin("https://.shop.example:8443"), "https://.shop.example:8443");
  EXPECT_EQ(origin("https://shop.example:8443"), "") << "the dots must not be one";
  EXPECT_EQ(origin("http://shop.example"), "");
  EXPECT_EQ(origin("https://shop.example.evil"), "");
  EXPECT_EQ(origin("https://evil/.shop.example:8443.evil"), "");
  EXPECT_EQ(origin(""), "");
}

TEST(Cors, AllowsAllOriginsByAStar) {
  const Cors cors({.allowed_origins = {"https://a", "*"}});
  EXPECT_EQ(allowed(cors, preflight_of("https://b"), "Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(allowed(cors, preflight_of("https://b"), "Access-Control-Allow-Credentials"), "true");
}

TEST(Cors, AllowsHeadersByListDefaultOrStar) {
  constexpr std::string_view kName = "Access-Control-Allow-Headers";
  const Cors plain({.allowed_origins = {"*"}});
  EXPECT_EQ(allowed(plain, preflight_of("o", "content-type,x-requested-with"), kName),
            "content-type,x-requested-with");
  EXPECT_EQ(allowed(plain, preflight_of("o", "api-key"), kName), "");
  EXPECT_EQ(allowed(plain, preflight_of("o", "api-key"), "Access-Control-Allow-Origin"), "");
  const Cors listed({.allowed_origins = {"*"}, .allowed_headers = {"API-Key"}});
  EXPECT_EQ(allowed(listed, preflight_of("o", "api-key, content-type"), kName),
            "api-key, content-type");
  EXPECT_EQ(allowed(listed, preflight_of("o", "api-key,x-requested-with"), kName), "");
  const Cors any({.allowed_origins = {"*"}, .allowed_headers = {"*"}});
  EXPECT_EQ(allowed(any, preflight_of("o", "a,b"), kName), "a,b");
}

TEST(Cors, AllowsSimpleMethodsAndSaysForHowLong) {
  const Cors cors({.allowed_origins = {"*"}, .max_age = 7200});
  EXPECT_EQ(allowed(cors, preflight_of("o", {}, "POST"), "Access-Control-Allow-Methods"), "POST");
  EXPECT_EQ(allowed(cors, preflight_of("o", {}, "DELETE"), "Access-Control-Allow-Origin"), "");
  EXPECT_EQ(allowed(cors, preflight_of("o"), "Access-Control-Max-Age"), "7200");
  const Cors never({.allowed_origins = {"*"}, .max_age = -1});
  EXPECT_EQ(allowed(never, preflight_of("o"), "Access-Control-Max-Age"), "0");
  const Cors silent({.allowed_origins = {"*"}});
  EXPECT_EQ(allowed(silent, preflight_of("o"), "Access-Control-Max-Age"), "");
}

TEST(Cors, AnnotatesAnswers) {
  const Cors cors({.allowed_origins = {"https://a"}, .exposed_headers = {"X-One", "X-Two"}});
  Headers known;
  cors.annotate("https://a", "POST", known);
  EXPECT_EQ(find_header(known, "Access-Control-Allow-Origin"), "https://a");
  EXPECT_EQ(find_header(known, "Access-Control-Expose-Headers"), "X-One, X-Two");
  EXPECT_EQ(find_header(known, "Vary"), "Origin");
  Headers stranger;
  cors.annotate("https://b", "POST", stranger);
  EXPECT_EQ(stranger.size(), 1u);
  Headers none;
  cors.annotate("", "POST", none);
  EXPECT_EQ(none.size(), 1u);
}

TEST(Cors, TellsAPreflightFromAnOrdinaryRequest) {
  EXPECT_TRUE(Cors::is_preflight(preflight_of("o")));
  Request request;
  request.method = "OPTIONS";
  EXPECT_FALSE(Cors::is_preflight(request));
}

}  // namespace
}  // namespace sonde::net
