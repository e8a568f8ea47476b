// SPDX-License-Identifier: Apache-2.0
#include "probe/route.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace sonde::probe {
namespace {

TEST(Route, RecognisesIdentifiers) {
  for (const char* id : {"1", "42", "7f9c24e8-3b12-4fef-91e0-5a1b2c3d4e5f", "deadbeef01", "order42",
                         "a1b2", "me@example.org", "%20x", "5f3759df"}) {
    EXPECT_TRUE(looks_like_id(id)) << id;
  }
  for (const char* word :
       {"items", "v1", "v2.1", "oauth2", "s3", "log4j", "health-check", "", "feedface"}) {
    EXPECT_FALSE(looks_like_id(word)) << word;
  }
}

TEST(Route, MakesTemplates) {
  Routes routes;
  EXPECT_EQ(routes.route("a", "/"), "/");
  EXPECT_EQ(routes.route("a", "/items/7"), "/items/{id}");
  EXPECT_EQ(routes.route("a", "/api/v1/users/7/orders/"), "/api/v1/users/{id}/orders/");
  EXPECT_EQ(routes.route("a", "*"), "*");
  EXPECT_EQ(routes.route("a", "nonsense"), "/{*}");
}

TEST(Route, CapsTheWordsOfALevel) {
  Routes routes({.max_children = 4});
  std::set<std::string> seen;
  for (char c = 'a'; c <= 'z'; ++c) seen.insert(routes.route("s", std::string("/x/") + c));
  EXPECT_EQ(seen.size(), 5U);
  EXPECT_TRUE(seen.contains("/x/{*}"));
  EXPECT_EQ(routes.route("s", "/x/a"), "/x/a") << "what was there stays";
}

TEST(Route, CapsTheRoutesOfAService) {
  Routes routes({.max_children = 100, .max_routes = 10});
  std::set<std::string> seen;
  for (char a = 'a'; a <= 'z'; ++a) {
    for (char b = 'a'; b <= 'z'; ++b) {
      seen.insert(routes.route("s", std::string("/") + a + "/" + b));
    }
  }
  EXPECT_EQ(seen.size(), 11U);
  EXPECT_EQ(routes.route("other", "/fine"), "/fine");
}

TEST(Route, LetsAScannerTakeHalfOfALevel) {
  Routes routes({.max_children = 10});
  for (char c = 'a'; c <= 'z'; ++c) routes.route("s", std::string("/") + c, false);
  EXPECT_EQ(routes.route("s", "/real"), "/real");
}

TEST(Route, BoundsDepthAndLength) {
  Routes routes;
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "/x";
  EXPECT_LT(routes.route("s", deep).size(), 40U);
  EXPECT_LT(routes.route("s", "/" + std::string(35, 'a') + deep).size(), 300U);
}

// A scanner that asks for words at random, as deep as they are followed and deeper.
TEST(Route, BoundsWhatPathsThatAreTooDeepOrTooLongLeaveBehind) {
  constexpr RouteLimits kLimits;
  std::mt19937 random(7);
  for (const size_t words : {kLimits.max_depth, kLimits.max_depth + 1, size_t{40}}) {
    Routes routes;
    std::set<std::string> seen;
    for (int i = 0; i < 5000; ++i) {
      std::string path;
      for (size_t k = 0; k < words; ++k) {
        path += std::string("/w") + static_cast<char>('a' + random() % 24);
      }
      if (i % 2 != 0) path += "/" + std::string(kLimits.max_length, 'x');
      seen.insert(routes.route("shop", path, false));
    }
    EXPECT_LE(routes.nodes(), kLimits.max_routes * (kLimits.max_depth + 1)) << words;
    EXPECT_LE(seen.size(), kLimits.max_routes + 1) << words;
    EXPECT_TRUE(seen.contains("/{*}")) << words;
    EXPECT_GT(routes.overflowed(), 4000U) << words;
  }
}

TEST(Route, CountsAPathOnceWhateverLimitHidIt) {
  Routes routes({.max_children = 1, .max_routes = 2, .max_services = 1, .max_depth = 3});
  routes.route("s", "/a/b/c");
  EXPECT_EQ(routes.overflowed(), 0U);
  EXPECT_EQ(routes.route("s", "/b/c/d/e"), "/{*}/c/d/{*}");
  EXPECT_EQ(routes.overflowed(), 1U);
  EXPECT_EQ(routes.route("s", "/b/c/d/e"), "/{*}/c/d/{*}");
  EXPECT_EQ(routes.overflowed(), 2U);
  EXPECT_EQ(routes.route("s", "/c/d/e/f"), "/{*}");
  EXPECT_EQ(routes.overflowed(), 3U);
  EXPECT_EQ(routes.route("t", "/a"), "/{*}");
  EXPECT_EQ(routes.overflowed(), 4U);
  EXPECT_EQ(routes.nodes(), 7U);
}

}  // namespace
}  // namespace sonde::probe
