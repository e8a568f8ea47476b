// SPDX-License-Identifier: Apache-2.0
// What a server that ends does with connections that have just begun: who connects in that moment
// hears that the server ends, and is not cut off before it has said a word.
#include <gtest/gtest.h>

#include <future>

#include "net/grpc/grpc_server.h"
#include "net/http/http_server.h"
#include "net/testing/h2_frames.h"
#include "net/testing/raw_client.h"

namespace sonde::net {
namespace {

using std::chrono::milliseconds;

// Longer than those that were served before are waited for.
void let_pass(LoopThread& thread, milliseconds time) {
  std::promise<void> passed;
  thread.loop.post([&] { thread.loop.after(time, [&] { passed.set_value(); }); });
  passed.get_future().wait();
}

TEST(Drain, LetsAPeerOfGrpcGreetBeforeItIsSentAway) {
  LoopThread thread;
  auto server = thread.on_loop([&] {
    return *GrpcServer::listen(thread.loop, "127.0.0.1:0",
                               [](GrpcRequest, GrpcResponder responder) { responder.respond({}); });
  });
  RawClient client(server->port());
  ASSERT_TRUE(thread.eventually([&] { return server->connections() == 1; }));
  thread.on_loop([&] { server->drain(); });
  let_pass(thread, milliseconds(300));
  EXPECT_FALSE(thread.on_loop([&] { return server->drained(); }));
  using http2::Type;
  client.send(std::string(http2::kPreface) + http2::frame(Type::Settings, 0, 0, {}));
  bool sent_away = false;
  for (const auto& frame : http2::frames_of(client.read_all())) {
    sent_away |= frame.head.type == Type::Goaway;
  }
  EXPECT_TRUE(sent_away);
  EXPECT_TRUE(thread.eventually([&] { return server->drained(); }));
  thread.join();
}

TEST(Drain, WaitsForNobodyWhoStaysSilent) {
  LoopThread thread;
  auto grpc = thread.on_loop([&] {
    return *GrpcServer::listen(thread.loop, "127.0.0.1:0", [](GrpcRequest, GrpcResponder) {});
  });
  auto http = thread.on_loop(
      [&] { return *HttpServer::listen(thread.loop, "127.0.0.1:0", [](Request&, Responder) {}); });
  RawClient one(grpc->port());
  RawClient other(http->port());
  ASSERT_TRUE(thread.eventually([&] { return grpc->connections() + http->connections() == 2; }));
  thread.on_loop([&] {
    grpc->drain();
    http->drain();
  });
  EXPECT_TRUE(thread.eventually([&] { return grpc->drained(); }));
  EXPECT_TRUE(thread.eventually([&] { return http->drained(); }));
  thread.join();
}

TEST(Drain, AnswersTheFirstRequestOfAConnection) {
  LoopThread thread;
  auto server = thread.on_loop([&] {
    return *HttpServer::listen(thread.loop, "127.0.0.1:0", [](Request&, Responder responder) {
      responder.respond({200, "text/plain", "hi", {}});
    });
  });
  RawClient client(server->port());
  ASSERT_TRUE(thread.eventually([&] { return server->connections() == 1; }));
  thread.on_loop([&] { server->drain(); });
  let_pass(thread, milliseconds(500));
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string answer = client.read_all();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer;
  EXPECT_NE(answer.find("Connection: close"), std::string::npos) << answer;
  thread.join();
}

}  // namespace
}  // namespace sonde::net
