// SPDX-License-Identifier: Apache-2.0
// The token endpoint is a server on loopback; time is virtual.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <fstream>

#include "base/base64.h"
#include "base/testing/temporary_directory.h"
#include "components/extension/oauth2client/assertion.h"
#include "components/extension/oauth2client/token.h"
#include "config/yaml.h"
#include "net/http/http_client.h"
#include "net/http/http_server.h"
#include "net/testing/run_until.h"
#include "pipeline/test_host.h"
#include "pipeline/testing/authenticator_fixture.h"

const sonde::pipeline::ComponentType& sonde_component_extension_oauth2client();

namespace sonde::oauth2 {
namespace {

using std::chrono::seconds;

Result<Token> read(int status, std::string type, std::string body) {
  return read_token_answer({status, {{"content-type", std::move(type)}}, std::move(body)});
}

TEST(Token, IsReadFromJson) {
  const auto full = read(200, "application/json;charset=UTF-8",
                         R"({"access_token":"ab\u0063","token_type":"bearer","expires_in":3600})");
  ASSERT_TRUE(full);
  EXPECT_EQ(full->header(), "Bearer abc");
  EXPECT_EQ(full->lifetime, seconds(3600));
  EXPECT_EQ(read(201, "", R"({"access_token":"a","expires_in":"60"})")->lifetime, seconds(60));
  EXPECT_EQ(read(200, "", R"({"access_token":"a","token_type":"MaC"})")->header(), "MAC a");
  EXPECT_EQ(read(200, "", R"({"access_token":"a","token_type":"x"})")->header(), "x a");
  for (const char* never : {R"({"access_token":"a"})", R"({"access_token":"a","expires_in":null})",
                            R"({"access_token":"a","expires_in":0})"}) {
    const auto token = read(200, "", never);
    ASSERT_TRUE(token) << never;
    EXPECT_FALSE(token->lifetime) << never;
  }
  EXPECT_EQ(read(200, "", R"({"access_token":"a","expires_in":99999999999})")->lifetime,
            seconds(INT32_MAX));
  EXPECT_EQ(read(200, "", R"({"access_token":"a","expires_in":-5})")->lifetime, seconds(0));
}

TEST(Token, IsReadFromAForm) {
  const auto token = read(200, "text/plain", "access_token=a%2Bb&token_type=bearer&expires_in=5");
  ASSERT_TRUE(token);
  EXPECT_EQ(token->header(), "Bearer a+b");
  EXPECT_EQ(token->lifetime, seconds(5));
}

TEST(Token, IsNoneInAnswersThatAreWrong) {
  const auto why = [](int status, std::string type, std::string body) {
    const auto token = read(status, std::move(type), std::move(body));
    EXPECT_TRUE(!token && token.error().kind == ErrorKind::Unavailable);
    return token ? "" : token.error().message;
  };
  EXPECT_EQ(why(400, "application/json",
                R"({"error":"invalid_client","error_description":"who?","error_uri":"u"})"),
            R"("invalid_client" "who?" "u")");
  EXPECT_EQ(why(200, "", R"({"error":"no","access_token":"a"})"), R"("no")");
  EXPECT_EQ(why(400, "text/plain", "error=no&error_description=a+b"), R"("no" "a b")");
  EXPECT_EQ(why(503, "text/html", "<p>busy"), "it answered 503: <p>busy");
  // However long the server makes it.
  const std::string long_word(300, 'x');
  EXPECT_EQ(why(400, "text/plain", "error=no&error_description=" + long_word).size(), 256u);
  EXPECT_EQ(why(503, "text/html", long_word).size(), 256 + std::string("it answered 503: ").size());
  EXPECT_EQ(why(200, "", "{}"), "its answer has no access_token");
  EXPECT_EQ(why(200, "text/plain", "a=b"), "its answer has no access_token");
  for (const char* broken :
       {"", "[]", "{", R"({"access_token":5})", R"({"access_token":"a","expires_in":"soon"})",
        R"({"access_token":"a","expires_in":1.5})"}) {
    EXPECT_EQ(why(200, "", broken), "its answer is no JSON object with a token") << broken;
  }
}

TEST(Form, IsWrittenByNameAndEscaped) {
  EXPECT_EQ(encode_form({{"b", {"2", "x y"}}, {"a&", {"ü/=+~._-"}}, {"c", {}}}),
            "a%26=%C3%BC%2F%3D%2B~._-&b=2&b=x+y");
}

struct Key {
  std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key{EVP_RSA_gen(2048), EVP_PKEY_free};
  std::string pem() const {
    BIO* const out = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    char* data = nullptr;
    const long size = BIO_get_mem_data(out, &data);
    std::string text(data, static_cast<size_t>(size));
    BIO_free(out);
    return text;
  }
};

std::string from_base64url(std::string text) {
  std::ranges::replace(text, '-', '+');
  std::ranges::replace(text, '_', '/');
  while (text.size() % 4 != 0) text += '=';
  return decode_base64(text).value_or("?");
}

// The head and the claims of a token whose signature is right.
std::pair<config::Value, config::Value> verified(const std::string& token, const Key& key,
                                                 const EVP_MD* hash) {
  const size_t first = token.find('.'), second = token.rfind('.');
  const std::string signature = from_base64url(token.substr(second + 1));
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  EXPECT_EQ(EVP_DigestVerifyInit(context, nullptr, hash, nullptr, key.key.get()), 1);
  EXPECT_EQ(EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(signature.data()),
                             signature.size(), reinterpret_cast<const unsigned char*>(token.data()),
                             second),
            1);
  EVP_MD_CTX_free(context);
  return {
      *config::parse_yaml(from_base64url(token.substr(0, first)), "head"),
      *config::parse_yaml(from_base64url(token.substr(first + 1, second - first - 1)), "claims")};
}

TEST(Assertion, IsSignedAsItIsTold) {
  const Key key;
  Assertion assertion{
      .key_pem = key.pem(), .iss = "me", .sub = "me", .aud = "you", .now_seconds = 1000};
  auto signed_one = sign(assertion);
  ASSERT_TRUE(signed_one) << signed_one.error().message;
  auto [head, claims] = verified(*signed_one, key, EVP_sha256());
  EXPECT_EQ(head.find("alg")->text, "RS256");
  EXPECT_EQ(head.find("typ")->text, "JWT");
  EXPECT_EQ(head.find("kid"), nullptr);
  EXPECT_EQ(claims.find("iss")->text, "me");
  EXPECT_EQ(claims.find("aud")->text, "you");
  EXPECT_EQ(claims.find("iat")->integer, 1000);
  EXPECT_EQ(claims.find("exp")->integer, 2800);
  EXPECT_EQ(claims.find("jti")->text.size(), 36u);
  EXPECT_EQ(claims.find("scope"), nullptr);

  assertion.algorithm = "RS512";
  assertion.key_id = "k1";
  assertion.scope = "a b";
  assertion.claims = *config::parse_yaml("{sub: another, deep: {n: 1}}", "claims");
  std::tie(head, claims) = verified(*sign(assertion), key, EVP_sha512());
  EXPECT_EQ(head.find("kid")->text, "k1");
  EXPECT_EQ(claims.find("sub")->text, "another");
  EXPECT_EQ(claims.find("scope")->text, "a b");
  EXPECT_EQ(claims.find("deep")->find("n")->integer, 1);

  assertion.key_pem = "no key";
  EXPECT_FALSE(sign(assertion));
}

class OAuth2ClientTest : public pipeline::AuthenticatorTest<pipeline::TestHost> {
 protected:
  OAuth2ClientTest() : AuthenticatorTest(sonde_component_extension_oauth2client()) {}
  void SetUp() override {
    auto made = net::HttpServer::listen(host_.loop(), "127.0.0.1:0",
                                        [this](net::Request& request, net::Responder to) {
                                          if (request.path == "/settle") return to.respond({});
                                          requests_.push_back(std::move(request));
                                          to.respond(answer_(requests_.back()));
                                        });
    ASSERT_TRUE(made);
    server_ = std::move(*made);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port()) + "/t"; }
  // With these settings and the server's URL.
  Result<> start(const std::string& settings) {
    return AuthenticatorTest::start("{token_url: \"" + url() + "\", " + settings.substr(1));
  }
  void ask() {
    client().authorize(
        net::Carrier::Http, {{"a", "b"}}, nullptr, host_.scheduler(),
        [this](Result<net::Headers> headers) {
          got_.push_back(headers ? std::string(net::find_header(*headers, "authorization"))
                                 : "error: " + headers.error().message);
        });
  }
  void run_until(const std::function<bool()>& check) {
    net::run_until(host_.loop(), [&] {
      host_.scheduler().advance(Duration{});
      return check();
    });
  }
  // Until so many have an answer.
  void wait(size_t answers) {
    run_until([&] { return got_.size() >= answers; });
    ASSERT_EQ(got_.size(), answers);
  }
  // Until so many requests were made for a token and their answers are known: those were written
  // before a later request was even made.
  void wait_for_requests(size_t count) {
    run_until([&] { return requests_.size() >= count; });
    ASSERT_EQ(requests_.size(), count);
    net::HttpClient client(host_.loop(), {.base_url = url().substr(0, url().rfind('/'))});
    client.request("GET", "/settle", {}, {},
                   [&](const Result<net::HttpResponse>&) { host_.loop().stop(); });
    EXPECT_TRUE(host_.loop().run_for(seconds(10)));
  }
  static net::Response token(std::string text, int life) {
    return {200,
            "application/json",
            R"({"access_token":")" + text + R"(","expires_in":)" + std::to_string(life) + "}",
            {}};
  }

  std::vector<net::Request> requests_;
  std::function<net::Response(const net::Request&)> answer_ = [this](const net::Request&) {
    return token("t" + std::to_string(requests_.size()), 3600);
  };
  std::vector<std::string> got_;
  std::unique_ptr<net::HttpServer> server_;
};

TEST_F(OAuth2ClientTest, AsksOnceForAllThatWaitAndKeepsTheToken) {
  ASSERT_TRUE(
      start("{client_id: 'me:1', client_secret: 's t', scopes: [a, b], "
            "endpoint_params: {audience: you}}"));
  ask();
  ask();
  wait(2);
  ask();
  wait(3);
  EXPECT_EQ(got_, (std::vector<std::string>(3, "Bearer t1")));
  ASSERT_EQ(requests_.size(), 1u);
  EXPECT_EQ(requests_[0].method + " " + requests_[0].target, "POST /t");
  EXPECT_EQ(requests_[0].header("content-type"), "application/x-www-form-urlencoded");
  EXPECT_EQ(requests_[0].header("authorization"), "Basic " + encode_base64("me%3A1:s+t"));
  EXPECT_EQ(requests_[0].body.view(), "audience=you&grant_type=client_credentials&scope=a+b");
}

TEST_F(OAuth2ClientTest, FindsOutWhereTheServerWantsTheSecret) {
  answer_ = [&](const net::Request& request) {
    if (request.body.view().find("client_secret=") == std::string::npos) {
      return net::Response{401, "application/json", R"({"error":"invalid_client"})", {}};
    }
    return token("t" + std::to_string(requests_.size()), 100);
  };
  ASSERT_TRUE(start("{client_id: me, client_secret: s}"));
  ask();
  wait(1);
  EXPECT_EQ(got_[0], "Bearer t2");
  EXPECT_EQ(requests_[1].body.view(), "client_id=me&client_secret=s&grant_type=client_credentials");
  EXPECT_EQ(requests_[1].header("authorization"), "");
  host_.scheduler().advance(seconds(100));
  ask();
  wait(2);
  EXPECT_EQ(got_[1], "Bearer t3");
  EXPECT_EQ(requests_.size(), 3u);
}

TEST_F(OAuth2ClientTest, ReplacesATokenWhileItIsStillGood) {
  ASSERT_TRUE(start("{client_id: me, client_secret: s, expiry_buffer: 10m}"));
  ask();
  wait(1);
  host_.scheduler().advance(seconds(2990));
  ask();
  wait(2);
  EXPECT_EQ(requests_.size(), 1u);
  host_.scheduler().advance(seconds(20));
  ask();  // Ten minutes before its end: it is used, and another is asked for.
  ask();
  wait(4);
  EXPECT_EQ(got_, std::vector<std::string>(4, "Bearer t1"));
  wait_for_requests(2);
  ask();
  wait(5);
  EXPECT_EQ(got_[4], "Bearer t2");
}

TEST_F(OAuth2ClientTest, SendsOnWhileTheServerIsAwayAsLongAsTheTokenLasts) {
  ASSERT_TRUE(start("{client_id: me, client_secret: s}"));
  ask();
  wait(1);
  const auto working = std::exchange(
      answer_, [](const net::Request&) { return net::Response{500, "text/html", "away", {}}; });
  host_.scheduler().advance(seconds(3400));
  ask();
  wait(2);
  EXPECT_EQ(got_[1], "Bearer t1");
  wait_for_requests(3);  // Both ways to say the secret.
  host_.scheduler().advance(seconds(190));
  ask();
  ask();
  wait(4);
  EXPECT_EQ(got_[2], "error: failed to get security token from token endpoint \"" + url() +
                         "\": it answered 500: away");
  EXPECT_EQ(got_[3], got_[2]);
  EXPECT_EQ(requests_.size(), 5u);
  ask();  // Within a second it is not asked again.
  wait(5);
  EXPECT_EQ(got_[4], got_[2]);
  EXPECT_EQ(requests_.size(), 5u);
  answer_ = working;
  host_.scheduler().advance(seconds(1));
  ask();
  wait(6);
  EXPECT_EQ(got_[5], "Bearer t6");
}

TEST_F(OAuth2ClientTest, UsesATokenOfAShortLifeForMostOfIt) {
  answer_ = [&](const net::Request&) { return token("t" + std::to_string(requests_.size()), 8); };
  ASSERT_TRUE(start("{client_id: me, client_secret: s}"));
  ask();
  wait(1);
  host_.scheduler().advance(seconds(3));
  ask();
  wait(2);
  EXPECT_EQ(requests_.size(), 1u);
  host_.scheduler().advance(seconds(4));
  ask();
  wait(3);
  EXPECT_EQ(got_, (std::vector<std::string>{"Bearer t1", "Bearer t1", "Bearer t2"}));
}

TEST_F(OAuth2ClientTest, ReadsItsCredentialsForEachToken) {
  const TemporaryDirectory directory;
  const std::string id = (directory.path() / "id").string();
  const std::string secret = (directory.path() / "secret").string();
  ASSERT_TRUE(start("{client_id_file: " + id + ", client_secret_file: " + secret + "}"));
  ask();
  wait(1);
  EXPECT_NE(got_[0].find("cannot read " + id), std::string::npos) << got_[0];
  EXPECT_TRUE(requests_.empty());
  std::ofstream(id) << "me\n";
  std::ofstream(secret) << "s\n";
  host_.scheduler().advance(seconds(1));
  ask();
  wait(2);
  EXPECT_EQ(got_[1], "Bearer t1");
  EXPECT_EQ(requests_[0].header("authorization"), "Basic " + encode_base64("me:s"));
}

TEST_F(OAuth2ClientTest, SignsAnAssertionForTheGrantOfJwt) {
  const Key key;
  const TemporaryDirectory directory;
  const std::string file = (directory.path() / "key").string();
  std::ofstream(file) << key.pem();
  ASSERT_TRUE(
      start("{client_id: me, grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', "
            "client_certificate_key_file: " +
            file + ", scopes: [a], claims: {x: y}}"));
  ask();
  wait(1);
  EXPECT_EQ(got_[0], "Bearer t1");
  ASSERT_EQ(requests_.size(), 1u);
  net::Request form;
  form.query = requests_[0].body.view();
  EXPECT_EQ(form.query_param("grant_type"), "urn:ietf:params:oauth:grant-type:jwt-bearer");
  EXPECT_EQ(form.query_param("scope"), "a");
  const auto [head, claims] = verified(form.query_param("assertion").value(), key, EVP_sha256());
  EXPECT_EQ(claims.find("aud")->text, url());
  EXPECT_EQ(claims.find("sub")->text, "me");
  EXPECT_EQ(claims.find("x")->text, "y");
}

TEST_F(OAuth2ClientTest, LetsGoOfWhatWaitsWhenItEnds) {
  ASSERT_TRUE(start("{client_id: me, client_secret: s}"));
  ask();
  host_.scheduler().advance(Duration{});
  extension_.reset();
  wait(1);
  EXPECT_TRUE(got_[0].starts_with("error: failed to get security token")) << got_[0];
}

TEST_F(OAuth2ClientTest, ShowsNoSecrets) {
  answer_ = [](const net::Request&) { return net::Response{500, "text/plain", "no", {}}; };
  const std::string with_user = "http://me:hidden@" + url().substr(7);
  ASSERT_TRUE(AuthenticatorTest::start("{token_url: \"" + with_user +
                                       "\", client_id: me, client_secret: s}"));
  ask();
  wait(1);
  EXPECT_EQ(got_[0].find("hidden"), std::string::npos) << got_[0];
  EXPECT_NE(got_[0].find("\"" + url() + "\""), std::string::npos) << got_[0];

  const auto shown = config::effective(
      *config::parse_yaml("{client_id: me, client_secret: hidden, endpoint_params: {password: "
                          "[hidden]}, token_url: 'https://me:hidden@host/t'}",
                          "test.yaml"),
      *sonde_component_extension_oauth2client().fields, "x", false);
  ASSERT_TRUE(shown);
  EXPECT_EQ(shown->find("client_secret")->text, "[REDACTED]");
  EXPECT_EQ(shown->find("endpoint_params")->find("password")->items.at(0).text, "[REDACTED]");
  EXPECT_EQ(shown->find("token_url")->text, "https://[REDACTED]@host/t");
}

TEST_F(OAuth2ClientTest, NeedsWhatItsGrantNeeds) {
  expect_refused(start("{client_secret: s}"), "no ClientID provided");
  expect_refused(start("{client_id: me}"), "no ClientSecret provided");
  expect_refused(start("{client_id: me, client_secret: s, grant_type: magic}"),
                 "unknown grant type \"magic\"");
  expect_refused(
      start("{client_id: me, client_secret: s, scopes: [a], endpoint_params: {scope: b}}"),
      "cannot overwrite parameter \"scope\"");
  expect_refused(
      start("{client_id: me, grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer'}"),
      "no ClientCertificateKey provided");
  auto made = sonde_component_extension_oauth2client().create(
      *config::parse_yaml("{client_id: me, client_secret: s}", "test.yaml"), "oauth2client", {});
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find("no TokenURL provided"), std::string::npos);
}

}  // namespace
}  // namespace sonde::oauth2
