// SPDX-License-Identifier: Apache-2.0
// How exporters and receivers ask an authenticator: who may be asked, what comes late, what is too
// much.
#include "pipeline/auth/authenticator.h"

#include <gtest/gtest.h>

#include "pipeline/auth/auth_gate.h"
#include "pipeline/auth/authorizer.h"
#include "pipeline/test_host.h"

namespace sonde::pipeline {
namespace {

// Answers when the test says.
class Slow final : public Component, public ClientAuthenticator, public ServerAuthenticator {
 public:
  bool needs_encryption() const override { return secret; }
  Result<> usable() const override { return fits; }
  Result<> serves() const override { return fits; }
  void authorize(net::Carrier, net::Headers headers, const RequestContext*, Scheduler&,
                 Done done) override {
    asked.push_back(
        [headers = std::move(headers), done = std::move(done)](Result<std::string> value) mutable {
          if (!value) return done(std::unexpected(value.error()));
          set_header(headers, "Authorization", *value);
          done(std::move(headers));
        });
  }
  std::optional<Result<AuthData>> check(const net::Headers& headers) override {
    if (net::find_header(headers, "known") == "") return std::nullopt;
    return AuthData{{"name", "known"}};
  }
  void verify(const net::Headers&, Scheduler&, AuthDone done) override {
    unknown.push_back(std::move(done));
  }

  bool secret = true;
  Result<> fits;
  std::vector<std::move_only_function<void(Result<std::string>)>> asked;
  std::vector<AuthDone> unknown;
};

class AuthenticatorTest : public testing::Test {
 protected:
  AuthenticatorTest() { host_.extensions = {{"slow", &slow_}, {"other", &other_}}; }
  auto authorizer(std::string name, net::Carrier carrier = net::Carrier::Http,
                  bool encrypted = false) {
    return Authorizer::make(host_, AuthSettings{std::move(name)}, carrier, encrypted);
  }
  class Other final : public Component {};

  TestHost host_;
  Slow slow_;
  Other other_;
};

TEST_F(AuthenticatorTest, MustBeAnExtensionThatRunsAndCan) {
  EXPECT_NE(authorizer("slwo").error().message.find("no extension \"slwo\" running"),
            std::string::npos);
  EXPECT_NE(authorizer("other").error().message.find("no authenticator of clients"),
            std::string::npos);
  const auto gate = AuthGate::make(host_, AuthSettings{"other"});
  ASSERT_FALSE(gate);
  EXPECT_NE(gate.error().message.find("no authenticator of servers"), std::string::npos);
  EXPECT_EQ(*AuthGate::make(host_, std::nullopt), nullptr);
  slow_.fits = fail(ErrorKind::Invalid, "has no password");
  EXPECT_EQ(authorizer("slow").error().message, "auth: slow: has no password");
  EXPECT_EQ(AuthGate::make(host_, AuthSettings{"slow"}).error().message,
            "auth: slow: has no password");
}

TEST_F(AuthenticatorTest, SendsNoSecretsInTheClearOverGrpc) {
  EXPECT_NE(authorizer("slow", net::Carrier::Grpc).error().message.find("in the clear"),
            std::string::npos);
  EXPECT_TRUE(authorizer("slow", net::Carrier::Grpc, true));
  EXPECT_TRUE(authorizer("slow", net::Carrier::Http));
  slow_.secret = false;
  EXPECT_TRUE(authorizer("slow", net::Carrier::Grpc));
}

TEST_F(AuthenticatorTest, GivesHeadersAsSoonAsItHasThem) {
  auto made = authorizer("slow");
  ASSERT_TRUE(made);
  Result<net::Headers> answer = fail(ErrorKind::Internal, "none yet");
  const auto keep = [&](Result<net::Headers> headers) { answer = std::move(headers); };
  (*made)->authorize({{"a", "1"}, {"authorization", "old"}}, nullptr, keep);
  EXPECT_EQ((*made)->waiting(), 1u);
  slow_.asked.at(0)("fresh");
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->size(), 2u);
  EXPECT_EQ(net::find_header(*answer, "authorization"), "fresh");
  EXPECT_EQ((*made)->waiting(), 0u);

  (*made)->authorize({}, nullptr, keep);
  slow_.asked.at(1)("a\r\nb: c");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::Invalid);

  (*made)->authorize({}, nullptr, keep);
  slow_.asked.at(2)(fail(ErrorKind::Unavailable, "no token"));
  EXPECT_EQ(answer.error().message, "no token");
}

TEST_F(AuthenticatorTest, LetsGoOfWhatWaitsWhenAnExporterEnds) {
  auto made = authorizer("slow");
  ASSERT_TRUE(made);
  Result<net::Headers> answer;
  (*made)->authorize({}, nullptr, [&](Result<net::Headers> got) { answer = std::move(got); });
  made->reset();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::Unavailable);
  slow_.asked.at(0)("late");
  EXPECT_FALSE(answer);
}

TEST_F(AuthenticatorTest, WithoutSettingsNobodyIsAsked) {
  auto made = Authorizer::make(host_, std::nullopt, net::Carrier::Grpc, false);
  ASSERT_TRUE(made);
  size_t headers = 0;
  (*made)->authorize({{"a", "1"}}, nullptr,
                     [&](Result<net::Headers> got) { headers = got->size(); });
  EXPECT_EQ(headers, 1u);
}

TEST_F(AuthenticatorTest, BoundsTheSendersThatAreBeingChecked) {
  auto gate = AuthGate::make(host_, AuthSettings{"slow"});
  ASSERT_TRUE(gate);
  EXPECT_EQ((*gate)->check({{"known", "1"}})->value().front().second, "known");
  size_t ended = 0;
  std::string refusal;
  for (size_t i = 0; i < AuthGate::kMaxWaiting; ++i) {
    ASSERT_FALSE((*gate)->check({}));
    (*gate)->verify({}, [&](const Result<AuthData>& known) {
      ++ended;
      refusal = known ? "" : known.error().message;
    });
  }
  const auto refused = (*gate)->check({});
  ASSERT_TRUE(refused && !*refused);
  EXPECT_EQ(refused->error().kind, ErrorKind::Exhausted);
  slow_.unknown.back()(AuthData{});
  slow_.unknown.pop_back();
  EXPECT_EQ(ended, 1u);
  EXPECT_FALSE((*gate)->check({}));
  gate->reset();
  slow_.unknown.back()(AuthData{});
  EXPECT_EQ(ended, 2u);
  EXPECT_EQ(refusal, "the receiver ended before it knew who you are");
}

}  // namespace
}  // namespace sonde::pipeline
