// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <fstream>

#include "base/testing/temporary_directory.h"
#include "config/yaml.h"
#include "pipeline/test_host.h"
#include "pipeline/testing/authenticator_fixture.h"

const sonde::pipeline::ComponentType& sonde_component_extension_bearertokenauth();

namespace sonde {
namespace {

class BearerTokenAuthTest : public pipeline::AuthenticatorTest<pipeline::TestHost> {
 protected:
  BearerTokenAuthTest() : AuthenticatorTest(sonde_component_extension_bearertokenauth()) {}
  std::string refusal(const net::Headers& headers) {
    const auto answer = server().check(headers);
    return !answer ? "asks to wait" : *answer ? "" : answer->error().message;
  }
  net::Headers given(net::Headers headers = {}) {
    Result<net::Headers> out;
    client().authorize(net::Carrier::Grpc, std::move(headers), nullptr, host_.scheduler(),
                       [&](Result<net::Headers> answer) { out = std::move(answer); });
    return *out;
  }
  std::string given_value() { return given().front().value; }
};

constexpr const char* kWrong = "provided authorization does not match expected scheme or token";

TEST_F(BearerTokenAuthTest, AsksForItsTokenAndGivesIt) {
  ASSERT_TRUE(start("{token: secret}"));
  EXPECT_EQ(refusal({{"authorization", "Bearer secret"}}), "");
  EXPECT_EQ(refusal({{"Authorization", "Bearer secret"}, {"Authorization", "no"}}), "");
  EXPECT_EQ(refusal({{"Authorization", "bearer secret"}}), kWrong);
  EXPECT_EQ(refusal({{"Authorization", "Bearer secrets"}}), kWrong);
  EXPECT_EQ(refusal({{"Authorization", ""}}), kWrong);
  EXPECT_EQ(refusal({{"other", "Bearer secret"}}),
            "missing or empty authorization header: Authorization");
  const net::Headers headers = given({{"authorization", "old"}, {"a", "b"}});
  ASSERT_EQ(headers.size(), 2u);
  EXPECT_EQ(net::find_header(headers, "authorization"), "Bearer secret");
}

TEST_F(BearerTokenAuthTest, TakesAnyOfSeveralAndGivesTheFirst) {
  ASSERT_TRUE(start("{tokens: [one two, three], scheme: ''}"));
  EXPECT_EQ(refusal({{"authorization", "one two"}}), "");
  EXPECT_EQ(refusal({{"authorization", "three"}}), "");
  EXPECT_EQ(refusal({{"authorization", "Bearer three"}}), kWrong);
  EXPECT_EQ(given_value(), "one two");
}

TEST_F(BearerTokenAuthTest, UsesTheHeaderItIsTold) {
  ASSERT_TRUE(start("{token: secret, header: X-Api-Key, scheme: Key}"));
  EXPECT_EQ(refusal({{"x-api-key", "Key secret"}}), "");
  EXPECT_EQ(refusal({{"authorization", "Key secret"}}),
            "missing or empty authorization header: X-Api-Key");
  EXPECT_EQ(given().front().name, "X-Api-Key");
}

TEST_F(BearerTokenAuthTest, ReadsTheHeadOfEachLineOfAFileThatMayChange) {
  const TemporaryDirectory directory;
  const std::string path = (directory.path() / "tokens").string();
  expect_refused(start("{filename: " + path + "}"), "filename: cannot read");
  std::ofstream(path) << "one  of Alice\n\n\ttwo # of Bob\n";
  ASSERT_TRUE(start("{filename: " + path + ", token: ignored}"));
  EXPECT_EQ(refusal({{"authorization", "Bearer two"}}), "");
  EXPECT_EQ(refusal({{"authorization", "Bearer ignored"}}), kWrong);
  EXPECT_EQ(given_value(), "Bearer one");
  std::ofstream(path) << "four";
  host_.scheduler().advance(std::chrono::seconds(1));
  EXPECT_EQ(given_value(), "Bearer four");
  EXPECT_EQ(refusal({{"authorization", "Bearer two"}}), kWrong);
}

TEST_F(BearerTokenAuthTest, NeedsATokenAndOnlyOneKind) {
  expect_refused(start("{}"), "no bearer token provided");
  expect_refused(start("{token: a, tokens: [b]}"), "not both");
}

TEST_F(BearerTokenAuthTest, RefusesATokenThatIsEmpty) {
  expect_refused(start("{tokens: ['']}"), "tokens::0: is empty");
  expect_refused(start("{tokens: [a, ''], scheme: '', header: X-Api-Key}"), "tokens::1: is empty");
  expect_refused(start("{tokens: [a, b, \" \\t\"]}"), "tokens::2: is empty");
  expect_refused(start("{token: ' '}"), "token: is empty");
}

TEST_F(BearerTokenAuthTest, ShowsNoSecrets) {
  const auto shown =
      config::effective(*config::parse_yaml("{tokens: [hidden]}", "test.yaml"),
                        *sonde_component_extension_bearertokenauth().fields, "x", false);
  ASSERT_TRUE(shown);
  EXPECT_EQ(shown->find("tokens")->items.at(0).text, "[REDACTED]");
}

}  // namespace
}  // namespace sonde
