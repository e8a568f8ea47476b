// SPDX-License-Identifier: Apache-2.0
// A unix socket whose owner lives and takes nobody: connect(2) waits there, unless it is told not
// to, and a loop that waits serves nobody.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "net/grpc/grpc_client.h"
#include "net/http/http_server.h"
#include "net/testing/call_and_wait.h"

namespace sonde::net {
namespace {

using std::chrono::seconds;

class FullQueueTest : public testing::Test {
 protected:
  FullQueueTest() {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
    ::unlink(path_.c_str());
    const auto* const at = reinterpret_cast<const sockaddr*>(&address);
    owner_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(::bind(owner_, at, sizeof address), 0);
    EXPECT_EQ(::listen(owner_, 0), 0);
    int failed = 0;
    while (failed == 0) {
      waiting_.push_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      failed = ::connect(waiting_.back(), at, sizeof address);
    }
    EXPECT_EQ(errno, EAGAIN);
    // Who waits all the same is let go, so that the test fails and does not hang.
    rescue_ = std::jthread([this](const std::stop_token& stop) {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, stop, seconds(5), [] { return false; });
      rescued_ = !stop.stop_requested();
      ::close(owner_);
    });
  }
  ~FullQueueTest() override {
    rescue_.request_stop();
    rescue_.join();
    EXPECT_FALSE(rescued_) << "the loop waited for the peer";
    for (const int socket : waiting_) ::close(socket);
    ::unlink(path_.c_str());
  }

  const std::string path_ = testing::TempDir() + "full_queue_test.sock";
  int owner_ = -1;
  std::vector<int> waiting_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool rescued_ = false;
  std::jthread rescue_;
  Loop loop_;
};

TEST_F(FullQueueTest, ACallIsToldToComeAgain) {
  GrpcClient client(loop_, "unix://" + path_, seconds(60));
  const auto answer = call_and_wait(loop_, client, "/a/b", Bytes::copy("x"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::Unavailable);
  EXPECT_NE(answer.error().message.find("cannot connect to unix:"), std::string::npos)
      << answer.error().message;
}

TEST_F(FullQueueTest, ARequestIsToldToComeAgain) {
  HttpClient client(loop_, {.base_url = "unix://" + path_});
  const auto answer = request_and_wait(loop_, client, "GET", "/");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::Unavailable);
}

TEST_F(FullQueueTest, ItsOwnerIsNoDeadProcess) {
  const auto server = HttpServer::listen(loop_, "unix:" + path_, [](const Request&, Responder) {});
  ASSERT_FALSE(server);
  EXPECT_NE(server.error().message.find("another process answers there"), std::string::npos)
      << server.error().message;
}

}  // namespace
}  // namespace sonde::net
