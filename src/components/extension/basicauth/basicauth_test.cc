// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <fstream>

#include "base/base64.h"
#include "base/testing/temporary_directory.h"
#include "components/extension/basicauth/htpasswd.h"
#include "config/yaml.h"
#include "pipeline/test_host.h"
#include "pipeline/testing/authenticator_fixture.h"
#include "pipeline/testing/loop_host.h"

const sonde::pipeline::ComponentType& sonde_component_extension_basicauth();

namespace sonde::basicauth {
namespace {

bool matches(std::string_view hash, std::string_view password) {
  const auto parsed = Password::parse(hash);
  return parsed && parsed->matches(password);
}

// Made by htpasswd of Apache 2.4 and by `openssl passwd`.
TEST(Htpasswd, ReadsEachKindOfHash) {
  for (const char* hash :
       {"$apr1$nMWpXhAo$nLR1bw.84CrAadmE1fU3q1", "$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/",
        "$1$abcdefgh$W/8r1SWbVzbnNV3h1/PUK1", "{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=", "myPassword",
        "{PLAIN}myPassword", "$2y$05$LCfH1MDBQjzvIFU1QKoU/O0kgJu46mcDCyNmS0dnKC6SUwaI8qhzq"}) {
    EXPECT_TRUE(matches(hash, "myPassword")) << hash;
    EXPECT_FALSE(matches(hash, "mypassword")) << hash;
    EXPECT_FALSE(matches(hash, "")) << hash;
    EXPECT_FALSE(matches(hash, std::string_view("myPassword\0x", 12))) << hash;
  }
}

TEST(Htpasswd, ReadsSaltedHashesOfUnixAndLdap) {
  EXPECT_TRUE(matches("$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", "Hello world!"));
  EXPECT_TRUE(
      matches("$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OT"
              "LiBFdcbYEdFCoEOfaS35inz1",
              "Hello world!"));
  EXPECT_TRUE(matches("{SSHA}gVK8WC9YyFT1gMsQHTGCgT3sSv5zYWx0", "secret"));
  EXPECT_FALSE(matches("{SSHA}gVK8WC9YyFT1gMsQHTGCgT3sSv5zYWx0", "secrets"));
}

TEST(Htpasswd, MatchesNothingByAHashThatIsDamaged) {
  for (const char* hash : {"$1$salt", "$apr1$", "{SHA}!", "{SHA}AAAA", "{SSHA}AAAA"}) {
    EXPECT_FALSE(Password::parse(hash)) << hash;
  }
  for (const char* hash : {"$2y$05$short", "$2b$", "$5$", "$6$rounds=x$y", "*0", "*1"}) {
    EXPECT_FALSE(matches(hash, "")) << hash;
    EXPECT_FALSE(matches(hash, "*")) << hash;
  }
}

TEST(Htpasswd, ReadsLinesAndSaysWhichAreWrong) {
  const auto read = parse_htpasswd("\n a:1 \r\nb:2\nnothing\na:3:4\nc:{SHA}x\n:5");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->users.size(), 3u);
  EXPECT_TRUE(read->users.at("a").matches("3:4"));
  EXPECT_TRUE(read->users.at("b").matches("2"));
  EXPECT_TRUE(read->users.at("").matches("5"));
  EXPECT_EQ(read->problems,
            (std::vector<std::string>{"line 4 has no colon", "line 6: the SHA-1 hash is damaged"}));
  EXPECT_FALSE(parse_htpasswd("a:b\n" + std::string(70'000, 'x')));
  EXPECT_TRUE(parse_htpasswd("")->users.empty());
}

class BasicAuthTest : public pipeline::AuthenticatorTest<pipeline::LoopHost> {
 protected:
  BasicAuthTest() : AuthenticatorTest(sonde_component_extension_basicauth()) {}
  std::optional<Result<pipeline::AuthData>> check(std::string credentials,
                                                  std::string name = "Authorization") {
    return server().check({{std::move(name), std::move(credentials)}});
  }
  std::string refusal(std::string credentials) {
    const auto answer = check(std::move(credentials));
    return answer && !*answer ? answer->error().message : "none";
  }
  static std::string basic(std::string_view text) { return "Basic " + encode_base64(text); }
  Result<pipeline::AuthData> verify(const std::string& credentials) {
    Result<pipeline::AuthData> answer;
    server().verify({{"authorization", credentials}}, host_.loop(),
                    [&](Result<pipeline::AuthData> found) {
                      answer = std::move(found);
                      host_.loop().stop();
                    });
    EXPECT_TRUE(host_.loop().run_for(std::chrono::seconds(30)));
    return answer;
  }
  // What an exporter's request is given.
  std::string header() {
    std::string value;
    client().authorize(net::Carrier::Http, {{"authorization", "old"}}, nullptr, host_.loop(),
                       [&](Result<net::Headers> headers) {
                         EXPECT_EQ(headers->size(), 1u);
                         value = headers->front().value;
                       });
    return value;
  }
};

TEST_F(BasicAuthTest, KnowsASenderByItsPassword) {
  ASSERT_TRUE(start("{htpasswd: {inline: 'me:se:cret'}}"));
  const auto known = check(basic("me:se:cret"));
  ASSERT_TRUE(known && *known);
  EXPECT_EQ(**known, (pipeline::AuthData{{"username", "me"}, {"raw", "bWU6c2U6Y3JldA=="}}));
  EXPECT_TRUE(*check("bASIC bWU6c2U6Y3JldA==", "aUTHORIZATION"));
  EXPECT_EQ(refusal(basic("me:wrong")), "invalid credentials");
  EXPECT_EQ(refusal(basic("you:se:cret")), "invalid credentials");
  EXPECT_EQ(refusal(basic("me")), "invalid authorization format");
  EXPECT_EQ(refusal("Basic !"), "invalid authorization format");
  EXPECT_EQ(refusal("Basic"), "invalid authorization scheme prefix");
  EXPECT_EQ(refusal("Bearer bWU6c2U6Y3JldA=="), "invalid authorization scheme prefix");
  EXPECT_EQ(refusal(""), "no basic auth provided");
  EXPECT_EQ(server().check({})->error().message, "no basic auth provided");
  EXPECT_EQ(server().check({})->error().kind, ErrorKind::Denied);
}

TEST_F(BasicAuthTest, ChecksSlowHashesElsewhereAndOnlyOnce) {
  ASSERT_TRUE(
      start("{htpasswd: {inline: "
            "'me:$2y$05$LCfH1MDBQjzvIFU1QKoU/O0kgJu46mcDCyNmS0dnKC6SUwaI8qhzq'}}"));
  const std::string right = basic("me:myPassword");
  EXPECT_FALSE(check(right));
  const auto wrong = verify(basic("me:mypassword"));
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message, "invalid credentials");
  EXPECT_FALSE(check(basic("me:mypassword")));
  const auto known = verify(right);
  ASSERT_TRUE(known);
  EXPECT_EQ(known->front().second, "me");
  const auto again = check(right);
  ASSERT_TRUE(again && *again);
  EXPECT_EQ(**again, *known);
  EXPECT_FALSE(check(basic("me:mypassword")));
  EXPECT_EQ(refusal(basic("you:myPassword")), "invalid credentials");
  EXPECT_FALSE(verify("nothing"));
}

TEST_F(BasicAuthTest, ReadsAFileAndThenItsOwnLines) {
  const TemporaryDirectory directory;
  const std::string path = (directory.path() / "htpasswd").string();
  expect_refused(start("{htpasswd: {file: " + path + "}}"), "htpasswd::file: cannot");
  std::ofstream(path) << "a:1\nb:2";
  ASSERT_TRUE(start("{htpasswd: {file: " + path + ", inline: 'b:3'}}"));
  EXPECT_TRUE(*check(basic("a:1")));
  EXPECT_TRUE(*check(basic("b:3")));
  EXPECT_FALSE(*check(basic("b:2")));
}

TEST_F(BasicAuthTest, SaysWhoWeAre) {
  ASSERT_TRUE(start("{client_auth: {username: me, password: 'se:cret'}}"));
  EXPECT_EQ(header(), "Basic bWU6c2U6Y3JldA==");
  EXPECT_TRUE(client().usable());
  EXPECT_TRUE(client().needs_encryption());
  EXPECT_FALSE(server().serves());
  ASSERT_TRUE(start("{client_auth: {username: 'm:e'}}"));
  EXPECT_FALSE(client().usable());
  ASSERT_TRUE(start("{htpasswd: {inline: 'me:1'}}"));
  EXPECT_FALSE(client().usable());
  EXPECT_TRUE(server().serves());
}

TEST_F(BasicAuthTest, ReadsWhoWeAreFromFilesThatMayChange) {
  const TemporaryDirectory directory;
  const std::string user = (directory.path() / "user").string();
  const std::string password = (directory.path() / "password").string();
  std::ofstream(user) << "me\n";
  std::ofstream(password) << "1\n";
  expect_refused(start("{client_auth: {username_file: " + user +
                       ", password: 0, password_file: " + password + "}}"),
                 "string in quotes");
  const std::string settings = "{client_auth: {username_file: " + user +
                               ", password: '0', password_file: " + password + "}}";
  pipeline::TestHost host("basicauth");
  ASSERT_TRUE(start(settings, host));
  EXPECT_EQ(header(), basic("me:1"));
  std::ofstream(password) << "another";
  host.scheduler().advance(std::chrono::seconds(1));
  EXPECT_EQ(header(), basic("me:another"));
  extension_.reset();  // Before its host.
}

TEST_F(BasicAuthTest, NeedsExactlyOneSource) {
  expect_refused(start("{}"), "no credential source provided");
  expect_refused(start("{htpasswd: {}}"), "no credential source provided");
  expect_refused(start("{htpasswd: {inline: 'a:b'}, client_auth: {username: a}}"),
                 "only one of `htpasswd` or `client_auth` can be specified");
}

TEST_F(BasicAuthTest, ShowsNoSecrets) {
  const auto shown = config::effective(
      *config::parse_yaml("{client_auth: {username: me, password: hidden}}", "test.yaml"),
      *sonde_component_extension_basicauth().fields, "x", false);
  ASSERT_TRUE(shown);
  EXPECT_EQ(shown->find("client_auth")->find("username")->text, "me");
  EXPECT_EQ(shown->find("client_auth")->find("password")->text, "[REDACTED]");
}

}  // namespace
}  // namespace sonde::basicauth
