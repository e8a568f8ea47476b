// SPDX-License-Identifier: Apache-2.0
#include "app/http_provider.h"

#include <gtest/gtest.h>

#include <thread>

#include "net/http_server.h"
#include "net/loop.h"

namespace sonde::app {
namespace {

// A server on a thread of its own, since the provider waits for its answer.
class HttpProviderTest : public testing::Test {
 protected:
  void SetUp() override {
    auto server = net::HttpServer::listen(
        loop_, "127.0.0.1:0", [](const net::Request& request, net::Responder responder) {
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

TEST_F(HttpProviderTest, SaysThatNobodyListens) {
  const std::string dead = url("/a.yaml");
  TearDown();
  EXPECT_FALSE(http_provider()(dead));
  EXPECT_FALSE(http_provider()("no-slashes"));
}

}  // namespace
}  // namespace sonde::app
