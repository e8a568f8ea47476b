// SPDX-License-Identifier: Apache-2.0
// Names that take their time, and addresses that say nothing. The system's resolver is asked
// through the function below.
#include <arpa/inet.h>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/testing/eventually.h"
#include "net/grpc/grpc_client.h"
#include "net/grpc/grpc_server.h"
#include "net/http/http_client.h"
#include "net/http/http_server.h"
#include "net/testing/call_and_wait.h"
#include "net/testing/run_until.h"

namespace {

// What name servers say: nothing about names that end with ".silent", until they are let go.
struct Resolver {
  std::mutex mutex;
  std::condition_variable changed;
  bool silent = true;
  size_t waiting = 0, most = 0, asked = 0;

  void let_go() {
    const std::lock_guard lock(mutex);
    silent = false;
    changed.notify_all();
  }
  int wait() {
    std::unique_lock lock(mutex);
    ++asked;
    most = std::max(most, ++waiting);
    changed.wait(lock, [this] { return !silent; });
    --waiting;
    return EAI_AGAIN;
  }
  size_t count(size_t Resolver::* what) {
    const std::lock_guard lock(mutex);
    return this->*what;
  }
};
Resolver* resolver = nullptr;

}  // namespace

extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints,
                           addrinfo** out) {
  using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto system = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  const std::string_view host(name == nullptr ? "" : name);
  if (host.ends_with(".silent")) return resolver->wait();
  if (host != "two.test") return system(name, service, hints, out);
  if (const int error = system("127.0.0.2", service, hints, out); error != 0) return error;
  return system("127.0.0.3", service, hints, &(*out)->ai_next);
}

namespace sonde::net {
namespace {

using std::chrono::seconds;

class NameLookupTest : public testing::Test {
 protected:
  NameLookupTest() { resolver = &servers_; }
  ~NameLookupTest() override {
    servers_.let_go();
    EXPECT_TRUE(eventually([&] { return servers_.count(&Resolver::waiting) == 0; }));
  }
  static std::string names(const std::string& name) { return "http://" + name + ":4"; }
  HttpClient& client(std::string url) {
    HttpClientOptions options;
    options.base_url = std::move(url);
    options.timeout = seconds(120);
    return *clients_.emplace_back(std::make_unique<HttpClient>(loop_, options));
  }
  void ask(const std::string& url) {
    client(url).request("GET", "/", {}, {}, [this](Result<HttpResponse> answer) {
      ++answers_;
      failures_.insert(answer ? "" : answer.error().message);
    });
  }
  bool waits(size_t count) {
    return run_until(loop_, [&] { return servers_.count(&Resolver::waiting) == count; });
  }

  Resolver servers_;
  Loop loop_;
  std::vector<std::unique_ptr<HttpClient>> clients_;
  size_t answers_ = 0;
  std::set<std::string> failures_;
};

TEST_F(NameLookupTest, AnotherNameIsNotHeldUp) {
  auto server = HttpServer::listen(loop_, "127.0.0.1:0", [](const Request&, Responder to) {
    to.respond({200, "text/plain", "here", {}});
  });
  ASSERT_TRUE(server);
  ask(names("a.silent"));
  ask(names("b.silent"));
  ASSERT_TRUE(waits(2));
  auto& other = client("http://localhost:" + std::to_string((*server)->port()));
  const auto answer = request_and_wait(loop_, other, "GET", "/");
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, "here");
  EXPECT_EQ(answers_, 0u);
  servers_.let_go();
  EXPECT_TRUE(run_until(loop_, [&] { return answers_ == 2; }));
  EXPECT_TRUE(
      failures_.contains("cannot find host \"a.silent\": Temporary failure in name "
                         "resolution"))
      << *failures_.begin();
}

TEST_F(NameLookupTest, WhoAsksForTheSameNameWaitsForTheSameAnswer) {
  for (int i = 0; i < 3; ++i) ask(names("a.silent"));
  ASSERT_TRUE(waits(1));
  loop_.poll();
  servers_.let_go();
  EXPECT_TRUE(run_until(loop_, [&] { return answers_ == 3; }));
  EXPECT_EQ(servers_.count(&Resolver::asked), 1u);
}

TEST_F(NameLookupTest, ManyNamesHaveABoundedNumberOfThreads) {
  for (int i = 0; i < 40; ++i) ask(names("name" + std::to_string(i) + ".silent"));
  ASSERT_TRUE(waits(32));
  servers_.let_go();
  EXPECT_TRUE(run_until(loop_, [&] { return answers_ == 40; }));
  EXPECT_EQ(servers_.count(&Resolver::most), 32u);
  EXPECT_EQ(servers_.count(&Resolver::asked), 40u);
}

TEST_F(NameLookupTest, NobodyWaitsForANameAtTheEnd) {
  ask(names("a.silent"));
  ASSERT_TRUE(waits(1));
  clients_.clear();
  EXPECT_TRUE(run_until(loop_, [&] { return answers_ == 1; }));
  GrpcClient calls(loop_, "a.silent:4", std::chrono::milliseconds(50));
  const auto late = call_and_wait(loop_, calls, "/a/b", Bytes::copy("x"));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, ErrorKind::Unavailable);
  // And again, with the name still being looked up.
  EXPECT_FALSE(call_and_wait(loop_, calls, "/a/b", Bytes::copy("x")));
  EXPECT_EQ(servers_.count(&Resolver::waiting), 1u);
}

// Its queue is full, so that what comes to it is dropped.
TEST_F(NameLookupTest, AnAddressThatSaysNothingLeavesTimeForTheNext) {
  auto server = GrpcServer::listen(
      loop_, "127.0.0.3:0", [](GrpcRequest, GrpcResponder to) { to.respond(Bytes::copy("here")); });
  ASSERT_TRUE(server);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons((*server)->port());
  ASSERT_EQ(::inet_pton(AF_INET, "127.0.0.2", &address.sin_addr), 1);
  const auto* const at = reinterpret_cast<const sockaddr*>(&address);
  std::vector<int> sockets = {::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  ASSERT_EQ(::bind(sockets[0], at, sizeof address), 0);
  ASSERT_EQ(::listen(sockets[0], 0), 0);
  for (int i = 0; i < 3; ++i) {
    sockets.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    (void)::connect(sockets.back(), at, sizeof address);
  }
  GrpcClient client(loop_, "two.test:" + std::to_string((*server)->port()), seconds(4));
  const auto answer = call_and_wait(loop_, client, "/a/b", Bytes::copy("x"));
  EXPECT_TRUE(answer) << answer.error().message;
  for (const int socket : sockets) ::close(socket);
}

}  // namespace
}  // namespace sonde::net
