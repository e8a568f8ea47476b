// SPDX-License-Identifier: Apache-2.0
#include "net/grpc/grpc_server.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "net/grpc/grpc_client.h"
#include "net/grpc/grpc_frame.h"
#include "net/testing/call_and_wait.h"

namespace sonde::net {
namespace {

using std::chrono::seconds;

struct Pair {
  explicit Pair(GrpcServer::Handler handler, GrpcServerOptions options = {})
      : server(*GrpcServer::listen(loop, "127.0.0.1:0", std::move(handler), std::move(options))),
        client(loop, "127.0.0.1:" + std::to_string(server->port()), seconds(5)) {}
  // Runs until every call has ended.
  std::vector<Result<std::string>> call(const std::vector<Bytes>& messages) {
    std::vector<Result<std::string>> answers(messages.size());
    size_t left = messages.size();
    for (size_t i = 0; i < messages.size(); ++i) {
      client.unary("/test.Service/Call", messages[i], [&, i](Result<std::string> answer) {
        answers[i] = std::move(answer);
        if (--left == 0) loop.stop();
      });
    }
    loop.run_for(seconds(10));
    return answers;
  }
  Loop loop;
  std::unique_ptr<GrpcServer> server;
  GrpcClient client;
};

void echo(GrpcRequest request, GrpcResponder responder) {
  responder.respond(std::move(request.message));
}

TEST(GrpcServer, AnswersManyCallsAtOnceWithTheirOwnMessages) {
  Pair pair(echo);
  std::vector<Bytes> messages;
  for (int i = 0; i < 300; ++i) messages.push_back(Bytes::take("message " + std::to_string(i)));
  const auto answers = pair.call(messages);
  for (size_t i = 0; i < answers.size(); ++i) {
    ASSERT_TRUE(answers[i]) << answers[i].error().message;
    EXPECT_EQ(*answers[i], messages[i].view());
  }
}

TEST(GrpcServer, CarriesMessagesLargerThanEveryWindowAndFrame) {
  GrpcServerOptions options;
  options.max_message = 64 << 20;
  std::string received;
  Pair pair(
      [&](GrpcRequest request, GrpcResponder responder) {
        received = std::string(request.message.view());
        responder.respond(Bytes::take(std::to_string(request.message.size())));
      },
      std::move(options));
  std::string large;
  for (int64_t i = 0; large.size() < (size_t{20} << 20); ++i)
    large += std::to_string(static_cast<uint32_t>(i) * 7919U);
  const auto answers = pair.call({Bytes::copy(large)});
  ASSERT_TRUE(answers[0]) << answers[0].error().message;
  EXPECT_EQ(*answers[0], std::to_string(large.size()));
  EXPECT_TRUE(received == large);
}

TEST(GrpcServer, SendsAnswersLargerThanOneWrite) {
  const std::string large(3 << 20, 'x');
  Pair pair([&](GrpcRequest, GrpcResponder responder) { responder.respond(Bytes::copy(large)); });
  const auto answers = pair.call({Bytes::copy("a"), Bytes::copy("b")});
  for (const auto& answer : answers) {
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_TRUE(*answer == large);
  }
}

TEST(GrpcServer, TellsTheStatusItsMessageAndThePathAndMetadataItSaw) {
  std::string path;
  Pair pair([&](GrpcRequest request, GrpcResponder responder) {
    path = request.path;
    EXPECT_EQ(find_header(request.metadata, "user-agent"), "sonde");
    responder.fail({GrpcCode::InvalidArgument, "not ümlaut 100%", {}});
  });
  const auto answers = pair.call({Bytes::copy("x")});
  EXPECT_EQ(path, "/test.Service/Call");
  ASSERT_FALSE(answers[0]);
  EXPECT_EQ(answers[0].error().kind, ErrorKind::Invalid);
  EXPECT_NE(answers[0].error().message.find("not ümlaut 100%"), std::string::npos)
      << answers[0].error().message;
}

TEST(GrpcServer, SeesTheMetadataOfACallWithThatCallAlone) {
  std::vector<std::string> seen;
  Pair pair([&](GrpcRequest request, GrpcResponder responder) {
    seen.emplace_back(find_header(request.metadata, "authorization"));
    EXPECT_EQ(find_header(request.metadata, "user-agent"), "sonde");
    responder.respond(std::move(request.message));
  });
  // Values that change and that come again, so that heads are encoded anew and from the table.
  const std::vector<std::string> values = {
      "", "one", "one", "two", "", "one", std::string(3000, 'x')};
  for (const std::string& value : values) {
    Headers metadata;
    if (!value.empty()) metadata.push_back({"Authorization", value});
    EXPECT_TRUE(call_and_wait(pair.loop, pair.client, "/test.Service/Call", Bytes::copy("x"), {},
                              std::move(metadata)));
    EXPECT_EQ(seen.back(), value);
  }
}

TEST(GrpcServer, RefusesAMessageAboveTheLimitBeforeItIsSentWhole) {
  GrpcServerOptions options;
  options.max_message = 1000;
  bool called = false;
  Pair pair([&](GrpcRequest, GrpcResponder) { called = true; }, std::move(options));
  const auto answers = pair.call({Bytes::take(std::string(1001, 'x'))});
  ASSERT_FALSE(answers[0]);
  EXPECT_NE(answers[0].error().message.find("1001 vs. 1000"), std::string::npos)
      << answers[0].error().message;
  EXPECT_FALSE(called);
  EXPECT_TRUE(pair.call({Bytes::copy("")}).size() == 1);
}

TEST(GrpcServer, TakesAMessageOfExactlyTheLimit) {
  GrpcServerOptions options;
  options.max_message = 1000;
  Pair pair(echo, std::move(options));
  EXPECT_TRUE(pair.call({Bytes::take(std::string(1000, 'x'))})[0]);
}

struct CountingGate final : Gate {
  Result<> change(const Need& from, const Need& to) override {
    set_aside = set_aside - from.bytes + to.bytes;
    return {};
  }
  uint64_t set_aside = 0;
};

TEST(GrpcServer, AsksForRoomBeforeItKeepsAByteAndGivesItToTheHandler) {
  GrpcServerOptions options;
  const auto gate = std::make_shared<CountingGate>();
  const auto gates = std::make_shared<const Gates>(Gates{gate});
  options.admit = [&](const GrpcRequest& request, size_t bytes) -> GrpcAdmitted {
    EXPECT_EQ(request.path, "/test.Service/Call");
    if (bytes > 100) return std::unexpected(GrpcStatus{GrpcCode::ResourceExhausted, "no room", {}});
    return *Admission::ask(gates, {1, 0, bytes});
  };
  Admission kept;
  Pair pair(
      [&](GrpcRequest request, GrpcResponder responder) {
        kept = std::move(request.admission);
        responder.respond({});
      },
      std::move(options));
  const auto answers = pair.call({Bytes::take(std::string(70, 'x'))});
  EXPECT_TRUE(answers[0]);
  EXPECT_EQ(gate->set_aside, uint64_t{70});
  kept.end();
  EXPECT_EQ(gate->set_aside, uint64_t{0});
  const auto refused = pair.call({Bytes::take(std::string(2 << 20, 'x'))});
  ASSERT_FALSE(refused[0]);
  EXPECT_EQ(refused[0].error().peer_code, uint8_t{8});
  EXPECT_NE(refused[0].error().message.find("no room"), std::string::npos);
  EXPECT_EQ(gate->set_aside, uint64_t{0});
}

TEST(GrpcServer, AnswersForAHandlerThatDropsACall) {
  Pair pair([](GrpcRequest, GrpcResponder) {});
  const auto answers = pair.call({Bytes::copy("x")});
  ASSERT_FALSE(answers[0]);
  EXPECT_NE(answers[0].error().message.find("dropped without an answer"), std::string::npos);
}

TEST(GrpcServer, EndsWhatIsInProgressAndTakesNothingNewWhenItDrains) {
  std::vector<GrpcResponder> held;
  Pair pair([&](GrpcRequest, GrpcResponder responder) { held.push_back(std::move(responder)); });
  Result<std::string> answer;
  pair.client.unary("/a/b", Bytes::copy("x"), [&](Result<std::string> result) {
    answer = std::move(result);
    pair.loop.stop();
  });
  while (held.empty()) pair.loop.poll();
  pair.server->drain();
  EXPECT_FALSE(pair.server->drained());
  pair.loop.post([&] { held[0].respond(Bytes::copy("late")); });
  pair.loop.run_for(seconds(5));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(*answer, "late");
  const auto refused = pair.call({Bytes::copy("y")});
  ASSERT_FALSE(refused[0]);
  EXPECT_NE(refused[0].error().message.find("cannot connect"), std::string::npos);
}

TEST(GrpcServer, ListensOnAUnixSocketAndRemovesItAtTheEnd) {
  const std::string path = testing::TempDir() + "grpc_server_test.sock";
  Loop loop;
  {
    auto server = GrpcServer::listen(loop, "unix:" + path, echo);
    ASSERT_TRUE(server) << server.error().message;
    EXPECT_EQ(::access(path.c_str(), F_OK), 0);
    GrpcClient client(loop, "unix://" + path, seconds(5));
    const auto answer = call_and_wait(loop, client, "/a/b", Bytes::copy("hello"));
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(*answer, "hello");
    auto second = GrpcServer::listen(loop, "unix:" + path, echo);
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().message.find("another process answers there"), std::string::npos);
  }
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
}

}  // namespace
}  // namespace sonde::net
