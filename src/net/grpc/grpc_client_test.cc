// SPDX-License-Identifier: Apache-2.0
#include "net/grpc/grpc_client.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "net/grpc/grpc_frame.h"
#include "net/http/http_server.h"
#include "net/testing/call_and_wait.h"
#include "net/testing/h2_server.h"

namespace sonde::net {
namespace {

using namespace std::chrono_literals;

H2Answer reply(std::string_view message) {
  H2Answer answer;
  answer.body = grpc_prefix(message.size()) + std::string(message);
  return answer;
}

class GrpcClientTest : public ::testing::Test {
 protected:
  GrpcClientOptions to(uint16_t port, Duration timeout = 10s) {
    return {.endpoint = fmt::format("127.0.0.1:{}", port), .timeout = timeout, .headers = {}};
  }
  Result<std::string> call(GrpcClient& client, std::string message = "ping") {
    return call_and_wait(loop_, client, "/svc/Method", Bytes::take(std::move(message)));
  }
  Loop loop_;
};

TEST_F(GrpcClientTest, MakesCallsOverOneConnection) {
  H2Call seen;
  H2Server server([&](const H2Call& c) { return seen = c, reply("pong"); });
  auto options = to(server.port, 7s);
  options.headers = {{"X-Tenant", "t"}};
  GrpcClient client(loop_, options);
  EXPECT_EQ(call(client), "pong");
  EXPECT_EQ(seen.body, grpc_prefix(4) + "ping");
  EXPECT_EQ(seen.headers[":path"], "/svc/Method");
  EXPECT_EQ(seen.headers["content-type"], "application/grpc");
  EXPECT_EQ(seen.headers["te"], "trailers");
  EXPECT_EQ(seen.headers["grpc-timeout"], "7000m");
  EXPECT_EQ(seen.headers["x-tenant"], "t");
  EXPECT_EQ(call(client, ""), "pong");
  EXPECT_EQ(seen.body, grpc_prefix(0));
  EXPECT_EQ(server.accepted, 1);
}

TEST_F(GrpcClientTest, CarriesLargeMessagesBothWays) {
  H2Server server([&](const H2Call& c) { return reply(c.body.substr(5)); });
  GrpcClient client(loop_, to(server.port));
  const std::string large(3'000'000, 'x');
  EXPECT_EQ(call(client, large), large);
}

TEST_F(GrpcClientTest, RunsManyCallsDespiteTheStreamLimit) {
  H2Server server([&](const H2Call& c) { return reply(c.body.substr(5)); });
  GrpcClient client(loop_, to(server.port));
  int done = 0;
  for (int i = 0; i < 50; ++i) {
    client.unary("/s/M", Bytes::take(fmt::format("{}", i)), [&, i](Result<std::string> r) {
      EXPECT_EQ(r, fmt::format("{}", i));
      if (++done == 50) loop_.stop();
    });
  }
  EXPECT_TRUE(loop_.run_for(10s));
  EXPECT_EQ(server.accepted, 1);
}

TEST_F(GrpcClientTest, ReportsTheStatusAndThePushback) {
  H2Server server([&](const H2Call&) {
    H2Answer answer;
    answer.trailers = {
        {"grpc-status", "14"}, {"grpc-message", "come%20back"}, {"grpc-retry-pushback-ms", "250"}};
    return answer;
  });
  GrpcClient client(loop_, to(server.port));
  const auto got = call(client);
  EXPECT_EQ(got.error().kind, ErrorKind::Unavailable);
  EXPECT_EQ(got.error().message, "UNAVAILABLE: come back");
  EXPECT_EQ(got.error().retry_after, Duration(250ms));
}

TEST_F(GrpcClientTest, ReadsAStatusThatComesWithTheHead) {
  H2Server server([&](const H2Call&) {
    H2Answer answer;
    answer.head = {{":status", "200"}, {"grpc-status", "3"}, {"grpc-message", "bad"}};
    answer.trailers.clear();
    return answer;
  });
  GrpcClient client(loop_, to(server.port));
  EXPECT_EQ(call(client).error().message, "INVALID_ARGUMENT: bad");
}

TEST_F(GrpcClientTest, IgnoresTheBodyOfAnHttpError) {
  H2Server server([&](const H2Call&) {
    H2Answer answer;
    answer.head = {{":status", "502"}, {"content-type", "text/html"}};
    answer.body = "<html>";
    answer.trailers.clear();
    return answer;
  });
  GrpcClient client(loop_, to(server.port));
  const auto got = call(client);
  EXPECT_EQ(got.error().kind, ErrorKind::Unavailable);
  EXPECT_EQ(got.error().message, "UNAVAILABLE: the peer answered HTTP 502 without a grpc-status");
}

TEST_F(GrpcClientTest, RefusesAnAnswerOverTheLimit) {
  H2Server server([&](const H2Call&) { return reply(std::string(10'000, 'x')); });
  auto options = to(server.port);
  options.max_response = 100;
  GrpcClient client(loop_, options);
  EXPECT_EQ(call(client).error().kind, ErrorKind::Invalid);
}

TEST_F(GrpcClientTest, TriesARefusedCallOnceMore) {
  int calls = 0;
  H2Server server([&](const H2Call&) {
    if (++calls != 1) return reply("pong");
    H2Answer answer;
    answer.what = H2Answer::Refuse;
    return answer;
  });
  GrpcClient client(loop_, to(server.port));
  EXPECT_EQ(call(client), "pong");
}

TEST_F(GrpcClientTest, GivesUpOnACallThatIsAlwaysRefused) {
  H2Server server([&](const H2Call&) { return H2Answer{.what = H2Answer::Refuse}; });
  GrpcClient client(loop_, to(server.port));
  const auto got = call(client);
  EXPECT_EQ(got.error().kind, ErrorKind::Unavailable);
  EXPECT_EQ(got.error().message, "the peer refused the call");
}

TEST_F(GrpcClientTest, MovesToANewConnectionAfterGoaway) {
  int calls = 0;
  H2Server server([&](const H2Call&) {
    auto answer = reply("pong");
    if (++calls == 1) answer.what = H2Answer::Goaway;
    return answer;
  });
  GrpcClient client(loop_, to(server.port));
  EXPECT_EQ(call(client), "pong") << "the call before the GOAWAY still ends well";
  EXPECT_EQ(call(client), "pong");
  EXPECT_EQ(server.accepted, 2);
}

TEST_F(GrpcClientTest, RepeatsACallThatAGoawayLeftOut) {
  int calls = 0;
  H2Server server([&](const H2Call&) {
    return ++calls == 1 ? H2Answer{.what = H2Answer::GoawayAndRefuse} : reply("pong");
  });
  GrpcClient client(loop_, to(server.port));
  EXPECT_EQ(call(client), "pong");
  EXPECT_EQ(server.accepted, 2);
}

TEST_F(GrpcClientTest, FailsTheCallsOfALostConnectionAndReconnects) {
  int calls = 0;
  H2Server server([&](const H2Call&) {
    return ++calls == 1 ? H2Answer{.what = H2Answer::HangUp} : reply("pong");
  });
  GrpcClient client(loop_, to(server.port));
  const auto got = call(client);
  EXPECT_EQ(got.error().kind, ErrorKind::Unavailable);
  // A hang-up is seen as an end or as a reset, depending on what was still on its way.
  EXPECT_TRUE(got.error().message.starts_with("lost the connection to 127.0.0.1:"))
      << got.error().message;
  EXPECT_EQ(call(client), "pong");
}

TEST_F(GrpcClientTest, EndsACallAtItsDeadlineAndKeepsWorking) {
  int calls = 0;
  H2Server server([&](const H2Call&) {
    return ++calls == 1 ? H2Answer{.what = H2Answer::Silence} : reply("pong");
  });
  GrpcClient client(loop_, to(server.port, 300ms));
  const auto got = call(client);
  EXPECT_EQ(got.error().kind, ErrorKind::Unavailable);
  EXPECT_EQ(got.error().message, "DEADLINE_EXCEEDED: no answer within 300 ms");
  EXPECT_EQ(call(client), "pong");
}

TEST_F(GrpcClientTest, SaysThatNobodyListens) {
  uint16_t port = 0;
  {
    H2Server server([&](const H2Call&) { return reply(""); });
    port = server.port;
  }
  GrpcClient client(loop_, to(port));
  const auto got = call(client);
  EXPECT_EQ(got.error().kind, ErrorKind::Unavailable);
  EXPECT_EQ(got.error().message,
            fmt::format("cannot connect to 127.0.0.1:{}: Connection refused", port));
}

TEST_F(GrpcClientTest, SaysThatThePeerSpeaksNoHttp2) {
  auto server = HttpServer::listen(loop_, "127.0.0.1:0", [](const Request&, Responder) {});
  ASSERT_TRUE(server);
  GrpcClient client(loop_, to((*server)->port()));
  const auto got = call(client);
  EXPECT_EQ(got.error().kind, ErrorKind::Unavailable);
  EXPECT_EQ(got.error().message, "the peer does not speak HTTP/2");
}

TEST_F(GrpcClientTest, RefusesAnEndpointItCannotRead) {
  GrpcClient client(loop_, "localhost:70000", 1s);
  EXPECT_EQ(call(client).error().message, "address \"localhost:70000\": port 70000 is above 65535");
  GrpcClient tls(loop_, "https://localhost:4317", 1s);
  EXPECT_EQ(call(tls).error().kind, ErrorKind::Invalid);
}

TEST_F(GrpcClientTest, EndsEveryCallOnceWhenItIsDestroyed) {
  H2Server server([&](const H2Call&) {
    loop_.stop();
    return H2Answer{.what = H2Answer::Silence};
  });
  auto client = std::make_unique<GrpcClient>(loop_, to(server.port));
  int ended = 0;
  for (int i = 0; i < 3; ++i) {
    client->unary("/s/M", {}, [&](Result<std::string> r) {
      EXPECT_EQ(r.error().message, "the gRPC client was closed");
      ++ended;
    });
  }
  ASSERT_TRUE(loop_.run_for(10s));
  client.reset();
  EXPECT_EQ(ended, 3);
  loop_.poll();
  EXPECT_EQ(ended, 3);
}

TEST_F(GrpcClientTest, MayBeDestroyedInItsOwnCallback) {
  H2Server server([&](const H2Call&) { return reply("pong"); });
  auto client = std::make_unique<GrpcClient>(loop_, to(server.port));
  client->unary("/s/M", {}, [&](Result<std::string> r) {
    EXPECT_EQ(r, "pong");
    client.reset();
    loop_.stop();
  });
  EXPECT_TRUE(loop_.run_for(10s));
  loop_.poll();
}

// Nothing is waited for there, so that the connection ends while the call begins.
TEST(GrpcClient, SaysThatAUnixSocketIsNotThere) {
  Loop loop;
  GrpcClient client(loop, "unix:///nowhere/grpc_client_test.sock", 5s);
  for (int i = 0; i < 2; ++i) {
    const auto answer = call_and_wait(loop, client, "/a/b", Bytes::copy("x"));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, ErrorKind::Unavailable);
    EXPECT_NE(answer.error().message.find("cannot connect to unix:"), std::string::npos)
        << answer.error().message;
  }
}

}  // namespace
}  // namespace sonde::net
