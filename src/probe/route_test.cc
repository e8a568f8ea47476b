// SPDX-License-Identifier: Apache-2.0
#include "probe/route.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace sonde::probe
