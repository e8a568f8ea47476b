// SPDX-License-Identifier: Apache-2.0
#include "app/http_provider.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

#include "net/http/http_server.h"
#include "net/loop.h"
#include "net/testing/certificates.h"

namespace sonde::app {
namespace {

// A server on a thread of its own, since the provider waits for its answer.
class HttpProviderTest : public testing::Test {
 protected:
  void SetUp() override {
    auto server = net::HttpServer::listen(
        loop_, "127.0.0.1:0", [](const net::Request& request, net::Responder responder) {
          if (request.path == "/d/moved") {
            return responder.respond({302, "", "", {{"Location", "../" + request.query}}});
          }
          if (request.path == "/d/../a.yaml" || request.path == "/round") {
            return responder.respond(
                {301, "", "", {{"Location", request.path == "/round" ? "/round" : "/a.yaml"}}});
          }
          if (request.path == "/to") {
            return responder.respond({307, "", "", {{"Location", request.query}}});
          }
          if (request.path == "/who") {
            return responder.respond(
                {200, "text/plain", std::string(request.header("authorization")), {}});
          }
          const bool known = request.path == "/a.yaml";
          responder.respond({known ? 200 : 404, "text/plain", known ? "receivers:\n" : "", {}});
        });
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
    thread_ = std::thread([this] { loop_.run(); });
  }
  void TearDown() override {
    loop_.stop();
    if (thread_.joinable()) thread_.join();
    server_.reset();
  }
  std::string url(std::string_view path) const {
    return "//127.0.0.1:" + std::to_string(server_->port()) + std::string(path);
  }

  net::Loop loop_;
  std::unique_ptr<net::HttpServer> server_;
  std::thread thread_;
};

TEST_F(HttpProviderTest, GivesTheBody) {
  auto got = http_provider()(url("/a.yaml"));
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->text, "receivers:\n");
}

TEST_F(HttpProviderTest, RefusesAnAnswerThatIsNot200) {
  auto got = http_provider()(url("/b.yaml"));
  ASSERT_FALSE(got);
  EXPECT_NE(got.error().message.find("/b.yaml answered 404"), std::string::npos)
      << got.error().message;
}

TEST_F(HttpProviderTest, GoesWhereItIsSentButNotForEver) {
  auto got = http_provider()(url("/d/moved?a.yaml"));
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->text, "receivers:\n");
  got = http_provider()(url("/round"));
  ASSERT_FALSE(got);
  EXPECT_NE(got.error().message.find("/round: redirected too often"), std::string::npos)
      << got.error().message;
}

TEST_F(HttpProviderTest, GivesThePasswordOfTheAddressAndShowsItToNobody) {
  const std::string with = "//user:p%40ss@" + url("/").substr(2);
  auto got = http_provider()(with + "who#fragment");
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->text, "Basic dXNlcjpwQHNz");
  got = http_provider()(with + "b.yaml");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().message.find("p%40ss"), std::string::npos) << got.error().message;
}

TEST_F(HttpProviderTest, ShowsNoPartOfAPasswordThatNobodyEncoded) {
  const std::string host = url("/b.yaml").substr(2);
  for (const char* user : {"user:s3/cret@", "user:s3?cret@", "user:s3#cret@", "user:s3@/cret@"}) {
    const auto got = http_provider()("//" + std::string(user) + host);
    ASSERT_FALSE(got) << user;
    const std::string& message = got.error().message;
    EXPECT_TRUE(message.find("s3") == std::string::npos &&
                message.find("cret") == std::string::npos)
        << message;
    EXPECT_NE(message.find("user and password as %2F"), std::string::npos) << message;
  }
  EXPECT_EQ(http_provider()("user:s3@host/?cret").error().message,
            "host/ is not http://host:port/path");
}

TEST_F(HttpProviderTest, TakesThePasswordAlongToTheSameServerOnly) {
  const auto answer = [&](const std::string& location) {
    auto got = http_provider()("//user:p%40ss@" + url("/to?").substr(2) + location);
    return got ? got->text : got.error().message;
  };
  EXPECT_EQ(answer("/who"), "Basic dXNlcjpwQHNz");
  EXPECT_EQ(answer("who"), "Basic dXNlcjpwQHNz");
  EXPECT_EQ(answer(url("/who")), "Basic dXNlcjpwQHNz");
  EXPECT_EQ(answer("http:" + url("/who")), "Basic dXNlcjpwQHNz");
  EXPECT_EQ(answer("http://a:b@" + url("/who").substr(2)), "Basic YTpi");
  const std::string port = std::to_string(server_->port());
  EXPECT_EQ(answer("http://localhost:" + port + "/who"), "");
  EXPECT_EQ(answer("unix:///run/x"), "unix:///run/x is not http://host:port/path");
  EXPECT_EQ(answer("ftp://a:b@c/d"), "ftp://c/d is not http://host:port/path");
}

TEST_F(HttpProviderTest, SaysThatNobodyListens) {
  const std::string dead = url("/a.yaml");
  TearDown();
  EXPECT_FALSE(http_provider()(dead));
  EXPECT_FALSE(http_provider()("no-slashes"));
}

TEST(HttpsProvider, BelievesOnlyTheAuthoritiesThatItIsGiven) {
  const auto authority = net::make_certificate("authority", nullptr);
  const auto own = net::make_certificate("server", &authority, "DNS:localhost");
  net::TlsSettings settings;
  settings.cert_pem = own.cert_pem();
  settings.key_pem = own.key_pem();
  auto tls = net::make_tls_server(settings, net::HttpVersion::Http1);
  ASSERT_TRUE(tls);
  net::HttpServerOptions options;
  options.tls = *tls;
  net::Loop loop;
  auto server = net::HttpServer::listen(
      loop, "127.0.0.1:0",
      [](const net::Request& request, net::Responder responder) {
        responder.respond({200, "text/plain", request.target, {}});
      },
      std::move(options));
  ASSERT_TRUE(server) << server.error().message;
  std::thread thread([&] { loop.run(); });
  const std::string url = "//localhost:" + std::to_string((*server)->port()) + "/a.yaml?b=c";
  const auto stranger = http_provider("https")(url);
  const std::string file = net::write_test_file("https_provider_test.pem", authority.cert_pem());
  ::setenv("SSL_CERT_FILE", file.c_str(), 1);
  const auto known = http_provider("https")(url);
  ::unsetenv("SSL_CERT_FILE");
  loop.stop();
  thread.join();
  ASSERT_FALSE(stranger);
  EXPECT_NE(stranger.error().message.find("the certificate is refused"), std::string::npos)
      << stranger.error().message;
  ASSERT_TRUE(known) << known.error().message;
  EXPECT_EQ(known->text, "/a.yaml?b=c");
}

}  // namespace
}  // namespace sonde::app
