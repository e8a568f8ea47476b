// SPDX-License-Identifier: Apache-2.0
#include "net/http/http_client.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "net/http/http_server.h"
#include "net/testing/call_and_wait.h"
#include "net/testing/raw_client.h"

namespace sonde::net {
namespace {

using namespace std::chrono_literals;

class HttpClientTest : public ::testing::Test {
 protected:
  void serve(HttpServer::Handler handler, HttpServerOptions options = {}) {
    auto made = HttpServer::listen(loop_, "127.0.0.1:0", std::move(handler), options);
    ASSERT_TRUE(made);
    server_ = std::move(*made);
  }
  void serve_echo() {
    serve([this](const Request& request, Responder responder) {
      peers_.push_back(request.peer);
      responder.respond(
          {.status = request.path == "/base/404" ? 404 : 200,
           .content_type = "text/plain",
           .body = request.method + " " + request.target + " " + std::string(request.body.view()),
           .headers = {{"X-Agent", std::string(request.header("user-agent"))}}});
    });
  }
  HttpClientOptions options() {
    return {.base_url = fmt::format("http://127.0.0.1:{}/base", server_->port())};
  }
  Result<HttpResponse> call(HttpClient& client, std::string_view method, std::string_view path,
                            std::string body = "", Headers headers = {}) {
    return request_and_wait(loop_, client, method, path, Bytes::take(std::move(body)),
                            std::move(headers));
  }
  Loop loop_;
  std::unique_ptr<HttpServer> server_;
  std::vector<std::string> peers_;
};

TEST_F(HttpClientTest, SendsBackTheCookiesOfTheHostWhereItIsTold) {
  std::vector<std::string> seen;
  serve([&](const Request& request, Responder responder) {
    seen.emplace_back(request.header("cookie"));
    responder.respond({.status = 503,
                       .headers = {{"Set-Cookie", "lb=one; Path=/base"},
                                   {"set-cookie", "own=two; Path=/other"}}});
  });
  HttpClientOptions with = options();
  with.cookies = true;
  HttpClient keeps(loop_, with);
  HttpClient forgets(loop_, options());
  for (HttpClient* client : {&keeps, &forgets}) {
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(call(*client, "POST", "/v1/traces", "abc"));
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"", "lb=one", "", ""}));
}

TEST_F(HttpClientTest, SendsTheUserOfItsUrlUnlessAHeaderSaysOtherwise) {
  std::vector<std::string> seen;
  serve([&](const Request& request, Responder responder) {
    seen.emplace_back(request.header("authorization"));
    responder.respond({.status = 200});
  });
  HttpClientOptions with = options();
  with.base_url.insert(std::string_view("http://").size(), "user:secret@");
  HttpClient client(loop_, with);
  ASSERT_TRUE(call(client, "POST", "/v1/traces", "abc"));
  ASSERT_TRUE(call(client, "POST", "/v1/traces", "abc", {{"Authorization", "Bearer x"}}));
  EXPECT_EQ(seen, (std::vector<std::string>{"Basic dXNlcjpzZWNyZXQ=", "Bearer x"}));
}

TEST_F(HttpClientTest, PostsOverOneKeptConnection) {
  serve_echo();
  HttpClient client(loop_, options());
  const auto a = call(client, "POST", "/v1/traces", "abc");
  ASSERT_TRUE(a) << a.error().message;
  EXPECT_EQ(a->status, 200);
  EXPECT_EQ(a->body, "POST /base/v1/traces abc");
  EXPECT_EQ(a->header("content-type"), "text/plain");
  EXPECT_EQ(a->header("x-agent"), "sonde");
  EXPECT_EQ(call(client, "GET", "/404")->status, 404);
  EXPECT_EQ(call(client, "HEAD", "/x")->body, "");
  EXPECT_EQ(call(client, "POST", "/x", std::string(3'000'000, 'x'))->body.size(), 3'000'013u);
  ASSERT_EQ(peers_.size(), 4u);
  EXPECT_EQ(peers_.front(), peers_.back());
}

TEST_F(HttpClientTest, TakesTheStatusOfAnAnswerThatIsTooLargeWhereThatIsEnough) {
  serve([](const Request& request, Responder responder) {
    Response response{request.path == "/base/400" ? 400 : 200, "", std::string(20'000, 'x'), {}};
    if (request.path != "/base/chunked") return responder.respond(std::move(response));
    responder.start_stream(std::move(response));
  });
  auto settings = options();
  settings.max_response = 10'000;
  HttpClient strict(loop_, settings);
  settings.whole_answers = false;
  HttpClient client(loop_, settings);
  for (const auto& [path, status] : {std::pair("/", 200), {"/400", 400}, {"/chunked", 200}}) {
    const auto error = call(strict, "POST", path);
    ASSERT_FALSE(error) << path;
    EXPECT_EQ(error.error().kind, ErrorKind::Exhausted) << error.error().message;
    const auto answer = call(client, "POST", path);
    ASSERT_TRUE(answer) << path << answer.error().message;
    EXPECT_EQ(answer->status, status);
    EXPECT_FALSE(answer->whole);
    EXPECT_EQ(answer->body, "");
  }
}

TEST_F(HttpClientTest, QueuesRequestsAndRefusesTooMany) {
  serve_echo();
  auto settings = options();
  settings.max_queued = 2;
  settings.max_connections = 1;
  HttpClient client(loop_, settings);
  std::vector<std::string> got;
  for (int i = 0; i < 3; ++i) {
    client.request("GET", fmt::format("/{}", i), {}, {}, [&](Result<HttpResponse> r) {
      got.push_back(r ? r->body : r.error().message);
      if (got.size() == 3) loop_.stop();
    });
  }
  EXPECT_TRUE(loop_.run_for(10s));
  EXPECT_EQ(got, (std::vector<std::string>{"too many requests wait for a connection",
                                           "GET /base/0 ", "GET /base/1 "}));
}

TEST_F(HttpClientTest, UsesSeveralConnectionsAndKeepsThem) {
  std::vector<Responder> waiting;
  serve([&](const Request& request, Responder responder) {
    peers_.push_back(request.peer);
    waiting.push_back(std::move(responder));
    if (waiting.size() < 3) return;
    for (Responder& each : waiting) each.respond({});
    waiting.clear();
  });
  auto settings = options();
  settings.max_connections = 3;
  HttpClient client(loop_, settings);
  for (int round = 0; round < 2; ++round) {
    int answered = 0;
    for (int i = 0; i < 6; ++i) {
      client.request("POST", "/", {}, {}, [&](Result<HttpResponse> r) {
        EXPECT_TRUE(r);
        if (++answered == 6) loop_.stop();
      });
    }
    EXPECT_TRUE(loop_.run_for(10s));
  }
  EXPECT_EQ(peers_.size(), 12u);
  EXPECT_EQ(std::set<std::string>(peers_.begin(), peers_.end()).size(), 3u);
  EXPECT_EQ(server_->connections(), 3u);
}

TEST_F(HttpClientTest, ReconnectsWhenTheKeptConnectionWasClosed) {
  serve_echo();
  HttpClient client(loop_, options());
  ASSERT_TRUE(call(client, "POST", "/1", "a"));
  const auto port = server_->port();
  server_.reset();
  auto again = HttpServer::listen(loop_, fmt::format("127.0.0.1:{}", port),
                                  [](const Request&, Responder r) { r.respond({}); });
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_TRUE(call(client, "POST", "/2", "a"));
}

TEST_F(HttpClientTest, GivesUpAfterItsTimeout) {
  std::vector<Responder> kept;
  serve([&](const Request&, Responder responder) { kept.push_back(std::move(responder)); });
  auto settings = options();
  settings.timeout = 20ms;
  HttpClient client(loop_, settings);
  const auto got = call(client, "POST", "/", "x");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().kind, ErrorKind::Unavailable);
  EXPECT_NE(got.error().message.find("no answer within 20 ms"), std::string::npos)
      << got.error().message;
}

TEST_F(HttpClientTest, SaysThatNobodyListens) {
  serve_echo();
  const auto settings = options();
  server_.reset();
  HttpClient client(loop_, settings);
  const auto got = call(client, "GET", "/");
  EXPECT_EQ(got.error().kind, ErrorKind::Unavailable);
  EXPECT_NE(got.error().message.find("Connection refused"), std::string::npos);
}

TEST_F(HttpClientTest, BoundsTheAnswer) {
  serve([](const Request&, Responder responder) {
    responder.respond(
        {.status = 200, .content_type = "", .body = std::string(5000, 'x'), .headers = {}});
  });
  auto settings = options();
  settings.max_response = 1000;
  HttpClient client(loop_, settings);
  EXPECT_EQ(call(client, "GET", "/").error().kind, ErrorKind::Exhausted);
}

TEST_F(HttpClientTest, ReadsAnEarlyRefusalOfALargeBody) {
  serve([](const Request&, Responder responder) { responder.respond({}); }, {.max_body = 10});
  HttpClient client(loop_, options());
  const auto got = call(client, "POST", "/", std::string(2'000'000, 'x'));
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->status, 413);
}

TEST_F(HttpClientTest, RefusesBadAddressesAndHeaders) {
  HttpClient bad(loop_, {.base_url = "http://a:70000"});
  EXPECT_EQ(call(bad, "GET", "/").error().message,
            "address \"http://a:70000\": port 70000 is above 65535");
  HttpClient tls(loop_, {.base_url = "https://a"});
  EXPECT_EQ(call(tls, "GET", "/").error().message, "\"https://a\": https needs TLS settings");
  HttpClient good(loop_, {.base_url = "http://127.0.0.1:1"});
  EXPECT_EQ(call(good, "GET", "/", "", {{"A", "b\r\nC: d"}}).error().kind, ErrorKind::Invalid);
  EXPECT_EQ(call(good, "GET", "/ x").error().kind, ErrorKind::Invalid);
}

TEST_F(HttpClientTest, EndsEveryRequestOnceWhenItIsDestroyed) {
  std::vector<Responder> kept;
  serve([&](const Request&, Responder responder) {
    kept.push_back(std::move(responder));
    loop_.stop();
  });
  auto client = std::make_unique<HttpClient>(loop_, options());
  int ended = 0;
  for (int i = 0; i < 3; ++i) {
    client->request("GET", "/", {}, {}, [&](Result<HttpResponse> r) {
      EXPECT_EQ(r.error().kind, ErrorKind::Unavailable);
      ++ended;
    });
  }
  ASSERT_TRUE(loop_.run_for(10s));
  client.reset();
  EXPECT_EQ(ended, 3);
  loop_.poll();
  EXPECT_EQ(ended, 3);
}

TEST_F(HttpClientTest, MayBeDestroyedInItsOwnCallback) {
  serve_echo();
  auto client = std::make_unique<HttpClient>(loop_, options());
  client->request("GET", "/", {}, {}, [&](Result<HttpResponse> r) {
    EXPECT_TRUE(r);
    client.reset();
    loop_.stop();
  });
  EXPECT_TRUE(loop_.run_for(10s));
  loop_.poll();
}

}  // namespace
}  // namespace sonde::net
