// SPDX-License-Identifier: Apache-2.0
// Servers that ask who sends: how long they wait for the answer.
#include <gtest/gtest.h>

#include "net/grpc/grpc_client.h"
#include "net/grpc/grpc_server.h"
#include "net/http/http_server.h"
#include "net/testing/call_and_wait.h"
#include "net/testing/h2_frames.h"
#include "net/testing/raw_client.h"

namespace sonde::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Identify : public ::testing::Test {
 protected:
  void serve() {
    HttpServerOptions options;
    options.http2 = true;
    options.body_timeout = milliseconds(100);
    options.identify = [this](const Request&, IdentifiedLater later) -> std::optional<Identified> {
      asked_.push_back(std::move(later));
      return std::nullopt;
    };
    server_ = thread_.on_loop([&] {
      return *HttpServer::listen(
          thread_.loop, "127.0.0.1:0",
          [](Request& request, Responder responder) {
            responder.respond({200, "text/plain", std::string(request.body.view()), {}});
          },
          options);
    });
  }
  ~Identify() override {
    thread_.join();
    server_.reset();
  }
  std::vector<IdentifiedLater> asked_;
  LoopThread thread_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(Identify, EndsAConnectionWhoseSenderIsNeverKnown) {
  serve();
  RawClient client(server_->port());
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody");
  EXPECT_EQ(client.read_all(), "");
  // The answer comes when nobody waits for it any more.
  thread_.on_loop([&] { asked_.at(0)(Sender()); });
  EXPECT_TRUE(thread_.eventually([&] { return server_->connections() == 0; }));
}

TEST_F(Identify, RefusesARequestOverHttp2WhoseSenderIsNeverKnown) {
  serve();
  RawClient client(server_->port());
  using http2::frame;
  using http2::Type;
  client.send(std::string(http2::kPreface) + frame(Type::Settings, 0, 0, {}) +
              frame(Type::Headers, http2::kEndHeaders, 1, http2::request_fields()) +
              frame(Type::Data, http2::kEndStream, 1, "body"));
  bool answered = false;
  std::string seen;
  while (!answered) {
    const std::string bytes = client.read_some_bytes();
    ASSERT_FALSE(bytes.empty()) << "no answer";
    seen += bytes;
    for (const auto& each : http2::frames_of(seen)) answered |= each.head.stream == 1;
  }
}

TEST(IdentifyGrpc, RefusesACallWhoseSenderIsNeverKnown) {
  Loop loop;
  GrpcServerOptions options;
  options.message_timeout = milliseconds(100);
  std::vector<GrpcIdentifiedLater> asked;
  options.identify = [&](const GrpcRequest&,
                         GrpcIdentifiedLater later) -> std::optional<GrpcIdentified> {
    asked.push_back(std::move(later));
    return std::nullopt;
  };
  auto server = *GrpcServer::listen(
      loop, "127.0.0.1:0", [](GrpcRequest, GrpcResponder responder) { responder.respond({}); },
      std::move(options));
  GrpcClient client(loop, "127.0.0.1:" + std::to_string(server->port()), seconds(5));
  const auto answer = call_and_wait(loop, client, "/test.Service/Call", Bytes::copy("x"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().peer_code, 4) << answer.error().message;
  asked.at(0)(Sender());
}

}  // namespace
}  // namespace sonde::net
