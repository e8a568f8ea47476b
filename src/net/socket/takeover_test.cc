// SPDX-License-Identifier: Apache-2.0
// One server takes the place of another at its address: no connection is refused, none is lost, and
// those in the clear go on.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include "net/grpc/grpc_client.h"
#include "net/grpc/grpc_server.h"
#include "net/http/http_client.h"
#include "net/http/http_server.h"
#include "net/socket/listen_scope.h"
#include "net/testing/call_and_wait.h"
#include "net/testing/run_until.h"

namespace sonde::net {
namespace {

using std::chrono::seconds;

const int kOld = 0, kNew = 0, kThird = 0;
const std::set<const void*> kLeaving = {&kOld};

HttpServer::Handler says(std::string what) {
  return [what = std::move(what)](const Request&, Responder responder) {
    responder.respond({200, "text/plain", what, {}});
  };
}
GrpcServer::Handler answers(std::string what) {
  return [what = std::move(what)](GrpcRequest, GrpcResponder responder) {
    responder.respond(Bytes::copy(what));
  };
}

class TakeoverTest : public testing::Test {
 protected:
  template <class Server, class Handler>
  Result<std::unique_ptr<Server>> listen(const void* owner, std::string_view address,
                                         Handler handler, bool taking = false) {
    const std::set<const void*> nobody;
    const ListenScope leaving(taking ? kLeaving : nobody);
    const ListenScope scope(owner);
    return Server::listen(loop_, address, std::move(handler));
  }
  std::unique_ptr<HttpServer> http(const void* owner, std::string_view address, std::string what,
                                   bool taking = false) {
    auto server = listen<HttpServer>(owner, address, says(std::move(what)), taking);
    EXPECT_TRUE(server) << server.error().message;
    return server ? std::move(*server) : nullptr;
  }
  static std::string local(uint16_t port) { return "127.0.0.1:" + std::to_string(port); }
  std::string get(HttpClient& client) {
    const auto response = request_and_wait(loop_, client, "GET", "/");
    return response ? response->body : response.error().message;
  }
  std::string call(GrpcClient& client) {
    const auto answer = call_and_wait(loop_, client, "/a/b", Bytes::copy("x"));
    return answer ? *answer : answer.error().message;
  }
  HttpClientOptions to(uint16_t port) { return {.base_url = "http://" + local(port)}; }

  Loop loop_;
};

TEST_F(TakeoverTest, NobodyListensTwiceWithoutLeave) {
  auto old = http(&kOld, "127.0.0.1:0", "old");
  EXPECT_FALSE(listen<HttpServer>(&kNew, local(old->port()), says("new")));
  auto next = http(&kNew, local(old->port()), "new", true);
  ASSERT_TRUE(next);
  // The one that took a share does not leave, so a third is refused: two new ones never share.
  EXPECT_FALSE(listen<HttpServer>(&kThird, local(old->port()), says("third"), true));
  old.reset();
  EXPECT_FALSE(listen<HttpServer>(&kThird, local(next->port()), says("third"), true));
}

TEST_F(TakeoverTest, ConnectionsGoOnWithTheNewServer) {
  auto old = http(&kOld, "127.0.0.1:0", "old");
  HttpClient client(loop_, to(old->port()));
  EXPECT_EQ(get(client), "old");
  auto next = http(&kNew, local(old->port()), "new", true);
  EXPECT_EQ(next->port(), old->port());
  EXPECT_EQ(get(client), "old");
  old->drain();
  EXPECT_TRUE(run_until(loop_, [&] { return old->drained(); }));
  EXPECT_EQ(next->connections(), 1u);
  old.reset();
  EXPECT_EQ(get(client), "new");
  EXPECT_EQ(next->connections(), 1u);  // The same one.
}

TEST_F(TakeoverTest, ARequestInHandIsAnsweredByWhoHasIt) {
  std::optional<Responder> held;
  auto old = *listen<HttpServer>(&kOld, "127.0.0.1:0", [&](const Request&, Responder responder) {
    held.emplace(std::move(responder));
  });
  HttpClient client(loop_, to(old->port()));
  std::string body;
  client.request("GET", "/", {}, {}, [&](Result<HttpResponse> response) {
    body = response ? response->body : response.error().message;
  });
  ASSERT_TRUE(run_until(loop_, [&] { return held.has_value(); }));
  auto next = http(&kNew, local(old->port()), "new", true);
  old->drain();
  EXPECT_FALSE(old->drained());
  held->respond({200, "text/plain", "late", {}});
  EXPECT_TRUE(run_until(loop_, [&] { return !body.empty() && old->drained(); }));
  EXPECT_EQ(body, "late");
  EXPECT_EQ(get(client), "new");
  EXPECT_EQ(next->connections(), 1u);
}

TEST_F(TakeoverTest, WithoutASuccessorTheNextAnswerIsTheLast) {
  auto old = http(&kOld, "127.0.0.1:0", "old");
  HttpClient busy(loop_, to(old->port())), idle(loop_, to(old->port()));
  EXPECT_EQ(get(busy), "old");
  EXPECT_EQ(get(idle), "old");
  ASSERT_EQ(old->connections(), 2u);
  old->drain();
  EXPECT_FALSE(old->drained());
  EXPECT_EQ(get(busy), "old");  // It was on its way.
  EXPECT_TRUE(run_until(loop_, [&] { return old->drained(); }));
}

TEST_F(TakeoverTest, CallsGoOnWithTheNewServer) {
  auto old = *listen<GrpcServer>(&kOld, "127.0.0.1:0", answers("old"));
  GrpcClient client(loop_, local(old->port()), seconds(5));
  EXPECT_EQ(call(client), "old");
  auto next = listen<GrpcServer>(&kNew, local(old->port()), answers("new"), true);
  ASSERT_TRUE(next) << next.error().message;
  old->drain();
  EXPECT_TRUE(old->drained());
  old.reset();
  EXPECT_EQ(call(client), "new");
  EXPECT_EQ((*next)->connections(), 1u);
}

TEST_F(TakeoverTest, TheNewServerSaysWhatIsKeptOfACall) {
  const auto says_whether = [](const GrpcRequest& request, GrpcResponder responder) {
    const bool has = std::ranges::any_of(request.metadata,
                                         [](const Header& header) { return header.name == "who"; });
    responder.respond(Bytes::copy(has ? "kept" : "none"));
  };
  std::unique_ptr<GrpcServer> old;
  {
    const ListenScope scope(&kOld);
    old = *GrpcServer::listen(loop_, "127.0.0.1:0", says_whether, {.keep_metadata = false});
  }
  GrpcClientOptions options;
  options.endpoint = local(old->port());
  options.timeout = seconds(5);
  options.headers = {{"who", "me"}};
  GrpcClient client(loop_, std::move(options));
  EXPECT_EQ(call(client), "none");
  auto next = listen<GrpcServer>(&kNew, local(old->port()), says_whether, true);
  ASSERT_TRUE(next);
  old->drain();
  old.reset();
  EXPECT_EQ(call(client), "kept");
}

TEST_F(TakeoverTest, ACallInHandIsAnsweredOnItsConnection) {
  std::optional<GrpcResponder> held;
  auto old = *listen<GrpcServer>(&kOld, "127.0.0.1:0", [&](GrpcRequest, GrpcResponder responder) {
    held.emplace(std::move(responder));
  });
  GrpcClient client(loop_, local(old->port()), seconds(5));
  std::string body;
  client.unary("/a/b", Bytes::copy("x"), [&](Result<std::string> answer) {
    body = answer ? *answer : answer.error().message;
  });
  ASSERT_TRUE(run_until(loop_, [&] { return held.has_value(); }));
  auto next = *listen<GrpcServer>(&kNew, local(old->port()), answers("new"), true);
  old->drain();
  old.reset();
  held->respond(Bytes::copy("late"));
  EXPECT_TRUE(run_until(loop_, [&] { return !body.empty(); }));
  EXPECT_EQ(body, "late");
  EXPECT_EQ(next->connections(), 1u);
}

// Over and over, while connections are made without a pause.
TEST_F(TakeoverTest, NoConnectionIsRefusedMeanwhile) {
  auto server = http(&kOld, "127.0.0.1:0", "x");
  const uint16_t port = server->port();
  const int owners[40] = {};
  const void* owner = &kOld;
  std::vector<std::unique_ptr<HttpServer>> leaving;
  int good = 0;
  std::string bad;
  for (const int& next : owners) {
    for (int i = 0; i < 5; ++i) {
      auto client = std::make_shared<HttpClient>(loop_, to(port));
      client->request("GET", "/", {}, {}, [&, client](Result<HttpResponse> response) {
        if (response && response->body == "x") {
          ++good;
        } else {
          bad = response ? response->body : response.error().message;
        }
        loop_.post([client] {});  // Not destroyed within its own callback.
      });
      loop_.poll();
    }
    const std::set<const void*> gone = {owner};
    {
      const ListenScope shares(gone);
      const ListenScope scope(&next);
      auto fresh = HttpServer::listen(loop_, local(port), says("x"));
      ASSERT_TRUE(fresh) << fresh.error().message;
      server->drain();
      leaving.push_back(std::exchange(server, std::move(*fresh)));
    }
    owner = &next;
    std::erase_if(leaving, [](const auto& s) { return s->drained(); });
  }
  EXPECT_TRUE(run_until(loop_, [&] { return good == 200 || !bad.empty(); }));
  EXPECT_EQ(bad, "");
  EXPECT_EQ(good, 200);
}

TEST_F(TakeoverTest, AUnixSocketStaysInItsPlace) {
  const std::string path = testing::TempDir() + "takeover_test.sock";
  auto old = http(&kOld, "unix:" + path, "old");
  auto next = http(&kNew, "unix:" + path, "new", true);
  ASSERT_TRUE(next);
  old.reset();
  EXPECT_EQ(::access(path.c_str(), F_OK), 0);
  next.reset();
  loop_.poll();
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
}

}  // namespace
}  // namespace sonde::net
