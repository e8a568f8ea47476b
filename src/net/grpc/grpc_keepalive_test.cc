// SPDX-License-Identifier: Apache-2.0
// The rules of a server's keepalive on a clock of the test's own, and both ends of a connection
// that keep each other alive.
#include "net/grpc/internal/grpc_keepalive.h"

#include <gtest/gtest.h>

#include "net/grpc/grpc_client.h"
#include "net/testing/call_and_wait.h"
#include "net/testing/raw_client.h"
#include "net/testing/run_until.h"

namespace sonde::net {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using Action = GrpcKeepalive::Action;

int64_t at(Duration time) { return 1 + time.count(); }

TEST(GrpcKeepalive, AsksASilentPeerAndGivesItUp) {
  const GrpcServerKeepalive settings{.ping_after = seconds(60), .ping_timeout = seconds(20)};
  GrpcKeepalive watch(settings, at(seconds(0)), 0);
  EXPECT_EQ(watch.tick(at(seconds(59)), 1), Action::None);
  EXPECT_EQ(watch.tick(at(seconds(60)), 1), Action::Ping);
  EXPECT_EQ(watch.tick(at(seconds(79)), 1), Action::None);
  watch.heard();
  EXPECT_EQ(watch.tick(at(seconds(79)), 1), Action::None);
  EXPECT_EQ(watch.tick(at(seconds(139)), 0), Action::Ping);
  EXPECT_EQ(watch.tick(at(seconds(159)), 0), Action::Close);
}

TEST(GrpcKeepalive, SendsAwayWhoIsIdleOrOld) {
  const GrpcServerKeepalive idle{.max_idle = seconds(10)};
  GrpcKeepalive watch(idle, at(seconds(0)), 0);
  EXPECT_EQ(watch.tick(at(seconds(9)), 0), Action::None);
  watch.called();
  EXPECT_EQ(watch.tick(at(seconds(10)), 0), Action::None) << "a call came and went";
  EXPECT_EQ(watch.tick(at(seconds(19)), 0), Action::None);
  EXPECT_EQ(watch.tick(at(seconds(20)), 0), Action::Retire);
  EXPECT_EQ(watch.tick(at(seconds(90)), 0), Action::None) << "once";

  const GrpcServerKeepalive old{.max_age = seconds(100), .max_age_grace = seconds(5)};
  GrpcKeepalive first(old, at(seconds(0)), 0);
  GrpcKeepalive last(old, at(seconds(0)), 1);
  EXPECT_EQ(first.tick(at(seconds(89)), 1), Action::None);
  EXPECT_EQ(first.tick(at(seconds(90)), 1), Action::Retire);
  EXPECT_EQ(first.tick(at(seconds(94)), 1), Action::None);
  EXPECT_EQ(first.tick(at(seconds(95)), 1), Action::Close);
  EXPECT_EQ(last.tick(at(seconds(109)), 1), Action::None);
  EXPECT_EQ(last.tick(at(seconds(110)), 1), Action::Retire);
}

TEST(GrpcKeepalive, CountsPingsThatComeTooOften) {
  const GrpcServerKeepalive settings{.min_ping_interval = minutes(5)};
  GrpcKeepalive watch(settings, at(seconds(0)), 0);
  EXPECT_TRUE(watch.pinged(at(seconds(10)), 1)) << "the first";
  EXPECT_TRUE(watch.pinged(at(seconds(20)), 1));
  EXPECT_TRUE(watch.pinged(at(seconds(30)), 1));
  watch.answered();
  EXPECT_TRUE(watch.pinged(at(seconds(40)), 1)) << "an answer was sent in between";
  EXPECT_TRUE(watch.pinged(at(minutes(6)), 1));
  EXPECT_TRUE(watch.pinged(at(minutes(7)), 1));
  EXPECT_TRUE(watch.pinged(at(minutes(8)), 1));
  EXPECT_FALSE(watch.pinged(at(minutes(9)), 1));

  GrpcKeepalive quiet(settings, at(seconds(0)), 0);
  for (int i = 1; i < 4; ++i) EXPECT_TRUE(quiet.pinged(at(minutes(6 * i)), 0)) << i;
  EXPECT_FALSE(quiet.pinged(at(minutes(24)), 0)) << "without calls hardly any is allowed";
  const GrpcServerKeepalive generous{.min_ping_interval = minutes(5), .pings_without_calls = true};
  GrpcKeepalive allowed(generous, at(seconds(0)), 0);
  for (int i = 1; i < 9; ++i) EXPECT_TRUE(allowed.pinged(at(minutes(6 * i)), 0)) << i;
}

class GrpcKeepaliveEnds : public ::testing::Test {
 protected:
  void listen(GrpcServerKeepalive keepalive) {
    GrpcServerOptions options;
    options.keepalive = keepalive;
    server_ = GrpcServer::listen(
                  loop_, "127.0.0.1:0",
                  [this](GrpcRequest request, GrpcResponder responder) {
                    if (request.path == "/a.B/Wait")
                      return waiting_.push_back(std::move(responder));
                    responder.respond(std::move(request.message));
                  },
                  std::move(options))
                  .value();
  }
  GrpcClientOptions options(uint16_t port) {
    GrpcClientOptions options;
    options.endpoint = "127.0.0.1:" + std::to_string(port);
    options.timeout = seconds(30);
    return options;
  }
  Result<std::string> call(GrpcClient& client, std::string_view path) {
    return call_and_wait(loop_, client, path, Bytes::copy("hello"));
  }

  Loop loop_;
  std::vector<GrpcResponder> waiting_;
  std::unique_ptr<GrpcServer> server_;
};

TEST_F(GrpcKeepaliveEnds, AClientLeavesAPeerThatDoesNotAnswerPings) {
  const int silent = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(silent, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(silent, 1), 0);
  ASSERT_EQ(::getsockname(silent, reinterpret_cast<sockaddr*>(&address), &size), 0);
  GrpcClientOptions settings = options(ntohs(address.sin_port));
  settings.ping_after = settings.ping_timeout = milliseconds(20);
  GrpcClient client(loop_, settings);
  const auto answer = call(client, "/a.B/C");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::Unavailable);
  EXPECT_NE(answer.error().message.find("does not answer pings"), std::string::npos)
      << answer.error().message;
  ::close(silent);
}

TEST_F(GrpcKeepaliveEnds, PingsKeepASlowCallAlive) {
  listen({.min_ping_interval = Duration(0)});
  GrpcClientOptions settings = options(server_->port());
  settings.ping_after = milliseconds(5);
  settings.ping_timeout = seconds(10);
  GrpcClient client(loop_, settings);
  loop_.after(milliseconds(100), [&] { waiting_.front().respond(Bytes::copy("late")); });
  EXPECT_EQ(call(client, "/a.B/Wait"), "late");
}

TEST_F(GrpcKeepaliveEnds, AServerSendsAwayWhoPingsTooOften) {
  listen({.min_ping_interval = hours(1)});
  GrpcClientOptions settings = options(server_->port());
  settings.ping_after = milliseconds(2);
  settings.ping_timeout = seconds(10);
  GrpcClient client(loop_, settings);
  const auto answer = call(client, "/a.B/Wait");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::Unavailable);
  EXPECT_EQ(call(client, "/a.B/C"), "hello") << "a new connection";
}

TEST_F(GrpcKeepaliveEnds, ARetiredConnectionLosesNoCall) {
  listen({.max_age = milliseconds(20)});
  GrpcClient client(loop_, options(server_->port()));
  int ended = 0;
  int failed = 0;
  constexpr int kCalls = 400;
  std::function<void()> next = [&] {
    client.unary("/a.B/C", Bytes::copy("x"), [&](Result<std::string> result) {
      failed += result ? 0 : 1;
      if (++ended == kCalls) return loop_.stop();
      loop_.after(milliseconds(1), next);
    });
  };
  for (int i = 0; i < 4; ++i) next();
  loop_.run_for(seconds(20));
  EXPECT_GE(ended, kCalls);
  EXPECT_EQ(failed, 0);
}

TEST_F(GrpcKeepaliveEnds, AnIdleConnectionIsClosed) {
  listen({.max_idle = milliseconds(20)});
  GrpcClient client(loop_, options(server_->port()));
  EXPECT_EQ(call(client, "/a.B/C"), "hello");
  EXPECT_EQ(server_->connections(), 1u);
  EXPECT_TRUE(run_until(loop_, [&] { return server_->connections() == 0; }));
  EXPECT_EQ(call(client, "/a.B/C"), "hello");
}

}  // namespace
}  // namespace sonde::net
