// SPDX-License-Identifier: Apache-2.0
#include "net/http/http_server.h"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/un.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <vector>

#include "base/testing/process_limit.h"
#include "net/testing/raw_client.h"

namespace sonde::net {
namespace {

using namespace std::chrono_literals;

class HttpServerTest : public ::testing::Test {
 protected:
  void serve(HttpServer::Handler handler, HttpServerOptions options = {}) {
    server_ = thread_.on_loop([&] {
      auto made = HttpServer::listen(thread_.loop, "127.0.0.1:0", std::move(handler), options);
      EXPECT_TRUE(made) << made.error().message;
      return std::move(*made);
    });
    port_ = server_->port();
  }
  void serve_echo(HttpServerOptions options = {}) {
    serve(
        [](const Request& request, Responder responder) {
          responder.respond(
              {.status = 200,
               .content_type = "text/plain",
               .body = request.method + " " + request.path + " " + std::string(request.body.view()),
               .headers = {}});
        },
        options);
  }
  void TearDown() override {
    thread_.join();
    server_.reset();
  }
  std::string exchange(std::string_view request) {
    RawClient client(port_);
    client.send(request);
    return client.read_all();
  }
  LoopThread thread_;
  std::unique_ptr<HttpServer> server_;
  uint16_t port_ = 0;
};

bool begins(const std::string& text, std::string_view with) { return text.starts_with(with); }

TEST_F(HttpServerTest, AnswersAndCloses) {
  serve_echo();
  const std::string answer =
      exchange("POST /p HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi");
  EXPECT_TRUE(begins(answer, "HTTP/1.1 200 OK\r\nDate: ")) << answer;
  EXPECT_TRUE(
      answer.ends_with("Content-Type: text/plain\r\nContent-Length: 10\r\n"
                       "Connection: close\r\n\r\nPOST /p hi"))
      << answer;
}

TEST_F(HttpServerTest, KeepsAConnectionAndAnswersPipelinedRequestsInOrder) {
  std::vector<Responder> waiting;
  serve([&](const Request& request, Responder responder) {
    if (request.path == "/slow") {
      waiting.push_back(std::move(responder));
      thread_.loop.after(5ms, [&] {
        waiting.back().respond({.status = 200, .content_type = "", .body = "slow;", .headers = {}});
      });
    } else {
      responder.respond({.status = 200, .content_type = "", .body = "fast;", .headers = {}});
    }
  });
  RawClient client(port_);
  client.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET /fast HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(client.read_until("slow;").ends_with("keep-alive\r\n\r\nslow;"));
  EXPECT_TRUE(client.read_until("fast;").ends_with("\r\n\r\nfast;"));
  client.send("GET /fast HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(client.read_until("fast;").ends_with("\r\n\r\nfast;"));
}

TEST_F(HttpServerTest, SendsNoBodyToHead) {
  serve_echo();
  const auto answer = exchange("HEAD /p HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_NE(answer.find("Content-Length: 7\r\n"), std::string::npos) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << answer;
}

TEST_F(HttpServerTest, AnswersGarbageWith400) {
  serve_echo();
  EXPECT_TRUE(begins(exchange("\x16\x03\x01\x02\x00 garbage\r\n\r\n"), "HTTP/1.1 400 "));
  EXPECT_TRUE(begins(exchange("GET / HTTP/1.1\r\nno colon\r\n\r\n"), "HTTP/1.1 400 "));
  EXPECT_TRUE(begins(exchange("GET / HTTP/1.1\r\n\r\n"), "HTTP/1.1 400 "));
}

TEST_F(HttpServerTest, AnswersAHugeHeaderWith431) {
  serve_echo();
  EXPECT_TRUE(begins(exchange("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(1 << 20, 'x')),
                     "HTTP/1.1 431 "));
  EXPECT_TRUE(begins(exchange("GET /" + std::string(100'000, 'x')), "HTTP/1.1 431 "));
}

TEST_F(HttpServerTest, AnswersABodyOverTheLimitWith413) {
  serve_echo({.max_body = 1000});
  EXPECT_TRUE(begins(exchange("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n" +
                              std::string(4'000'000, 'x')),
                     "HTTP/1.1 413 "));
  EXPECT_TRUE(begins(exchange("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                              "fff\r\n" +
                              std::string(4095, 'x')),
                     "HTTP/1.1 413 "));
}

TEST_F(HttpServerTest, GivesUpOnASlowHeader) {
  serve_echo({.header_timeout = 20ms});
  EXPECT_TRUE(begins(exchange("GET / HT"), "HTTP/1.1 408 "));
}

TEST_F(HttpServerTest, GivesUpOnASlowBody) {
  serve_echo({.body_timeout = 20ms});
  EXPECT_TRUE(begins(exchange("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab"),
                     "HTTP/1.1 408 "));
}

TEST_F(HttpServerTest, ClosesAnIdleConnectionWithoutAWord) {
  serve_echo({.idle_timeout = 20ms});
  EXPECT_EQ(exchange(""), "");
}

TEST_F(HttpServerTest, RefusesConnectionsOverTheLimit) {
  serve_echo({.max_connections = 1});
  RawClient first(port_);
  first.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  first.read_until("GET / ");
  EXPECT_TRUE(begins(exchange(""), "HTTP/1.1 503 "));
  first.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_FALSE(first.read_until("GET / ").empty()) << "the first one is untouched";
}

TEST_F(HttpServerTest, AnswersPreflightsItselfAndAnnotatesTheRest) {
  serve_echo({.response_headers = {{"X-Served-By", "test"}},
              .cors = std::make_shared<Cors>(CorsSettings{.allowed_origins = {"https://a"}})});
  RawClient client(port_);
  client.send(
      "OPTIONS /v1 HTTP/1.1\r\nHost: a\r\nOrigin: https://a\r\n"
      "Access-Control-Request-Method: POST\r\n\r\n");
  const std::string preflight = client.read_until("\r\n\r\n");
  EXPECT_TRUE(begins(preflight, "HTTP/1.1 204 ")) << preflight;
  EXPECT_NE(preflight.find("Access-Control-Allow-Methods: POST\r\n"), std::string::npos);
  client.send("POST /v1 HTTP/1.1\r\nHost: a\r\nOrigin: https://a\r\nContent-Length: 0\r\n\r\n");
  const std::string answer = client.read_until("POST /v1 ");
  EXPECT_NE(answer.find("Access-Control-Allow-Origin: https://a\r\n"), std::string::npos);
  EXPECT_NE(answer.find("X-Served-By: test\r\n"), std::string::npos);
  client.send("OPTIONS /v1 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_NE(client.read_until("OPTIONS /v1 ").find("HTTP/1.1 200"), std::string::npos);
}

TEST_F(HttpServerTest, EndsEachConnectionAfterOneRequestWhereItIsToldTo) {
  serve_echo({.keep_alive = false});
  const std::string answer = exchange("GET /p HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos) << answer;
}

TEST_F(HttpServerTest, SendsContinueToWhoeverWaitsForIt) {
  serve_echo();
  RawClient client(port_);
  client.send("POST /p HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("hi");
  EXPECT_TRUE(client.read_until("POST /p hi").ends_with("POST /p hi"));
}

TEST_F(HttpServerTest, Answers500ForADroppedResponder) {
  serve([](const Request&, Responder) {});
  EXPECT_TRUE(begins(exchange("GET / HTTP/1.0\r\n\r\n"), "HTTP/1.1 500 "));
}

TEST_F(HttpServerTest, TakesAnAnswerFromAnotherThread) {
  std::thread worker;
  serve([&](const Request&, Responder responder) {
    worker = std::thread([r = std::move(responder)]() mutable {
      r.respond({.status = 202, .content_type = "", .body = "", .headers = {}});
    });
  });
  EXPECT_TRUE(begins(exchange("GET / HTTP/1.0\r\n\r\n"), "HTTP/1.1 202 "));
  worker.join();
}

TEST_F(HttpServerTest, LetsNoHandlerSplitTheHeader) {
  serve([](const Request&, Responder responder) {
    responder.respond({.status = 302,
                       .content_type = "",
                       .body = "",
                       .headers = {{"Location", "/x\r\nSet-Cookie: a=b"}, {"X-Good", "1"}}});
  });
  const auto answer = exchange("GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(answer.find("Set-Cookie"), std::string::npos);
  EXPECT_NE(answer.find("X-Good: 1"), std::string::npos);
}

TEST_F(HttpServerTest, StreamsServerSentEvents) {
  Stream stream;
  serve([&](const Request&, Responder responder) {
    stream = responder.start_stream(
        {.status = 200, .content_type = "text/event-stream", .body = ": hello\n\n", .headers = {}});
  });
  RawClient client(port_);
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto head = client.read_until(": hello\n\n");
  EXPECT_NE(head.find("Transfer-Encoding: chunked"), std::string::npos) << head;
  EXPECT_TRUE(stream.event("tick", "one\ntwo"));
  EXPECT_TRUE(client.read_until("two\n\n").ends_with("event: tick\ndata: one\ndata: two\n\n"));
  stream.close();
  EXPECT_FALSE(stream.open());
  EXPECT_TRUE(client.read_all().ends_with("0\r\n\r\n"));
}

TEST_F(HttpServerTest, TellsAStreamThatThePeerLeft) {
  std::promise<void> left;
  Stream stream;
  serve([&](const Request&, Responder responder) {
    stream = responder.start_stream({}, [&] { left.set_value(); });
  });
  RawClient client(port_);
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  client.read_until("\r\n\r\n");
  client.close();
  EXPECT_EQ(left.get_future().wait_for(10s), std::future_status::ready);
  EXPECT_FALSE(stream.write("x"));
}

TEST_F(HttpServerTest, CutsAStreamWhosePeerDoesNotRead) {
  Stream stream;
  serve([&](const Request&, Responder responder) { stream = responder.start_stream({}); },
        {.max_stream_backlog = 100'000});
  RawClient client(port_);
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  client.read_until("\r\n\r\n");
  EXPECT_FALSE(stream.write(std::string(200'000, 'x')));
  EXPECT_FALSE(stream.open());
  client.read_all();  // ends, since the server closes
}

TEST_F(HttpServerTest, OutlivesAPeerThatLeavesBeforeTheAnswer) {
  std::promise<Responder> got;
  serve([&](const Request& request, Responder responder) {
    if (request.path == "/1") return got.set_value(std::move(responder));
    responder.respond({});
  });
  {
    RawClient client(port_);
    client.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n");
    Responder late = got.get_future().get();
    client.close();
    late.respond(
        {.status = 200, .content_type = "", .body = std::string(1 << 20, 'x'), .headers = {}});
  }
  EXPECT_TRUE(begins(exchange("GET /2 HTTP/1.0\r\n\r\n"), "HTTP/1.1 200 "));
}

TEST_F(HttpServerTest, LeavesHarmlessRespondersAndStreamsBehind) {
  std::promise<void> both;
  std::vector<Responder> responders;
  Stream stream;
  serve([&](const Request& request, Responder responder) {
    if (request.path == "/stream") {
      stream = responder.start_stream({}, [] { FAIL() << "the server is gone"; });
    } else {
      responders.push_back(std::move(responder));
    }
    if (stream.open() && !responders.empty()) both.set_value();
  });
  RawClient a(port_);
  RawClient b(port_);
  a.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
  b.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_EQ(both.get_future().wait_for(10s), std::future_status::ready);
  thread_.on_loop([&] { server_.reset(); });
  responders.clear();
  stream.write("x");
  thread_.on_loop([] {});
  EXPECT_EQ(b.read_all(), "");
  server_.reset();
}

TEST_F(HttpServerTest, NamesWhoHoldsATakenPort) {
  serve_echo();
  Loop loop;
  const auto second = HttpServer::listen(loop, fmt::format("127.0.0.1:{}", port_),
                                         [](const Request&, Responder) {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message,
            fmt::format("cannot listen on 127.0.0.1:{}: the port is taken by net_test (pid {})",
                        port_, ::getpid()));
}

TEST_F(HttpServerTest, RefusesAnAddressItCannotRead) {
  Loop loop;
  const auto made = HttpServer::listen(loop, "localhost:70000", [](const Request&, Responder) {});
  EXPECT_EQ(made.error().message, "address \"localhost:70000\": port 70000 is above 65535");
}

TEST(HttpServer, ListensOnAUnixSocket) {
  const std::string path = testing::TempDir() + "http_server_test.sock";
  Loop loop;
  auto server = HttpServer::listen(loop, "unix:" + path, [](const Request& request, Responder to) {
    to.respond({200, "text/plain", "from " + request.peer, {}});
  });
  ASSERT_TRUE(server) << server.error().message;
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  constexpr std::string_view kGet = "GET / HTTP/1.0\r\n\r\n";
  ASSERT_EQ(::send(fd, kGet.data(), kGet.size(), 0), static_cast<ssize_t>(kGet.size()));
  std::string answer;
  for (ssize_t n = 1; n != 0;) {
    loop.poll();
    char buffer[4096];
    n = ::recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (n > 0) answer.append(buffer, static_cast<size_t>(n));
  }
  ::close(fd);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200")) << answer;
  EXPECT_TRUE(answer.ends_with("from unix")) << answer;
}

// All descriptors of this process are spent, so that a connection waits in the listener's queue.
TEST_F(HttpServerTest, SaysWhenNoConnectionCanBeTakenAndWhenOneCanAgain) {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> said;
  HttpServerOptions options;
  options.accepting = [&](Result<> result) {
    const std::lock_guard lock(mutex);
    said.push_back(result ? "works" : result.error().message);
    changed.notify_all();
  };
  serve_echo(options);
  const auto wait_for = [&](size_t count) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, 5s, [&] { return said.size() >= count; });
  };
  const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_GE(client, 0);
  std::optional<ProcessLimit> low(std::in_place, RLIMIT_NOFILE, 256);
  std::vector<int> spent;
  for (int copy; (copy = ::dup(client)) >= 0;) spent.push_back(copy);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port_);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(client, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  const bool failed = wait_for(1);
  for (const int copy : spent) ::close(copy);
  low.reset();
  EXPECT_TRUE(failed);
  EXPECT_TRUE(wait_for(2));
  ::close(client);
  const std::lock_guard lock(mutex);
  EXPECT_EQ(said,
            (std::vector<std::string>{"cannot take connections: Too many open files", "works"}));
}

}  // namespace
}  // namespace sonde::net
