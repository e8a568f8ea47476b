// SPDX-License-Identifier: Apache-2.0
#include "net/socket/own_port.h"

#include <gtest/gtest.h>

#include "net/http/http_server.h"
#include "net/loop.h"

namespace sonde::net {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

TEST(OwnPort, IsHeldUntilAWhileAfterItsLastHolderIsGone) {
  const auto now = steady_clock::now();
  EXPECT_FALSE(is_own_port(7, 9));
  {
    OwnPort first = OwnPort::listening(7);
    OwnPort second = OwnPort::listening(7);
    OwnPort moved(std::move(first));
    {
      const OwnPort gone(std::move(moved));
    }
    EXPECT_TRUE(is_own_port(7, 9, now + seconds(3600)));
  }
  EXPECT_TRUE(is_own_port(7, 9, steady_clock::now()));
  EXPECT_FALSE(is_own_port(7, 9, steady_clock::now() + kOwnPortLinger + seconds(2)));
  EXPECT_FALSE(is_own_port(0, 9));
}

TEST(OwnPort, IsTheNearEndOfAConnectionOnlyTowardsItsFarEnd) {
  const OwnPort near = OwnPort::connected(40000, 4317);
  EXPECT_TRUE(is_own_port(40000, 4317));
  // Another process may connect to another port from the same ephemeral one.
  EXPECT_FALSE(is_own_port(40000, 8080));
  EXPECT_FALSE(is_own_port(4317, 40000));
}

TEST(OwnPort, KnowsWhatAServerListensOn) {
  Loop loop;
  auto server = HttpServer::listen(loop, "127.0.0.1:0", [](Request&, Responder) {});
  ASSERT_TRUE(server) << server.error().message;
  const uint16_t port = (*server)->port();
  EXPECT_TRUE(is_own_port(port, 9, steady_clock::now() + seconds(3600)));
  server->reset();
  EXPECT_FALSE(is_own_port(port, 9, steady_clock::now() + seconds(3600)));
}

}  // namespace
}  // namespace sonde::net
