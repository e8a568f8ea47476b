// SPDX-License-Identifier: Apache-2.0
// What a server asks before it reads a body, and what it says to a peer that gets no room.
#include <gtest/gtest.h>

#include "net/http/http_server.h"
#include "net/testing/raw_client.h"

namespace sonde::net {
namespace {

struct Meter final : Gate {
  Result<> change(const Need& from, const Need& to) override {
    set_aside += to.bytes - from.bytes;
    return {};
  }
  uint64_t set_aside = 0;
};

class HttpAdmission : public ::testing::Test {
 protected:
  HttpAdmission() {
    options_.admit = [this](const Request& request, std::optional<size_t> length) -> Admitted {
      asked_.push_back({request.path, length});
      if (request.path == "/full") {
        return std::unexpected(Response{429, "text/plain", "full", {{"Retry-After", "3"}}});
      }
      return *Admission::ask(gates_, {1, 0, length.value_or(0)});
    };
    server_ = thread_.on_loop([&] {
      return *HttpServer::listen(
          thread_.loop, "127.0.0.1:0",
          [this](Request& request, Responder responder) {
            kept_ = std::move(request.admission);
            responder.respond({200, "text/plain", std::string(request.body.view()), {}});
          },
          options_);
    });
  }
  ~HttpAdmission() override {
    thread_.join();
    server_.reset();
    MemoryLedger::process().set_limit(limit_);
  }
  static std::string post(std::string_view path, std::string_view head, std::string_view body) {
    return "POST " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + std::string(head) +
           "\r\n\r\n" + std::string(body);
  }

  const size_t limit_ = MemoryLedger::process().limit();
  HttpServerOptions options_;
  std::vector<std::pair<std::string, std::optional<size_t>>> asked_;
  std::shared_ptr<Meter> meter_ = std::make_shared<Meter>();
  std::shared_ptr<const Gates> gates_ = std::make_shared<const Gates>(Gates{meter_});
  Admission kept_;
  LoopThread thread_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpAdmission, IsGivenToTheHandlerWithTheRequest) {
  RawClient client(server_->port());
  client.send(post("/p", "Content-Length: 4", "body"));
  EXPECT_TRUE(client.read_until("body").ends_with("\r\n\r\nbody"));
  thread_.join();
  EXPECT_EQ(asked_, (decltype(asked_){{"/p", 4}}));
  EXPECT_EQ(meter_->set_aside, 4u);
  kept_.end();
  EXPECT_EQ(meter_->set_aside, 0u);
}

TEST_F(HttpAdmission, IsNotAskedForWithoutABody) {
  RawClient client(server_->port());
  client.send("GET /full HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(client.read_all().starts_with("HTTP/1.1 200 "));
  thread_.join();
  EXPECT_TRUE(asked_.empty());
}

TEST_F(HttpAdmission, IsRefusedBeforeALargeBodyIsSent) {
  RawClient client(server_->port());
  client.send(post("/full", "Content-Length: 1000000", ""));
  const std::string answer = client.read_all();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 429 ")) << answer;
  EXPECT_NE(answer.find("Retry-After: 3\r\n"), std::string::npos);
  EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("\r\n\r\nfull")) << answer;
}

TEST_F(HttpAdmission, RefusedForASmallBodyLeavesTheConnectionOpen) {
  RawClient client(server_->port());
  client.send(post("/full", "Content-Length: 4", "body"));
  EXPECT_NE(client.read_until("full").find("keep-alive"), std::string::npos);
  client.send(post("/p", "Content-Length: 2", "hi"));
  EXPECT_TRUE(client.read_until("hi").ends_with("\r\n\r\nhi"));
}

TEST_F(HttpAdmission, AnswersInPlaceOfTheBodyThatItWasAskedFor) {
  RawClient client(server_->port());
  client.send(post("/full", "Expect: 100-continue\r\nContent-Length: 4", ""));
  EXPECT_TRUE(client.read_all().starts_with("HTTP/1.1 429 "));
}

TEST_F(HttpAdmission, EndsWithAPeerThatLeavesInTheMiddle) {
  {
    RawClient client(server_->port());
    client.send(post("/p", "Content-Length: 1000", "half of it"));
    EXPECT_TRUE(thread_.eventually([&] { return meter_->set_aside == 1000; }));
  }
  EXPECT_TRUE(thread_.eventually([&] { return server_->connections() == 0; }));
  EXPECT_EQ(meter_->set_aside, 0u);
}

TEST_F(HttpAdmission, OfAChunkedBodyEndsWhereTheMemoryDoes) {
  thread_.on_loop([] {
    MemoryLedger& ledger = MemoryLedger::process();
    ledger.set_limit((32 << 20) + ledger.held() + (1 << 20));  // 1 MiB of room.
    return 0;
  });
  const std::string chunk = "10000\r\n" + std::string(65536, 'x') + "\r\n";
  RawClient client(server_->port());
  client.send(post("/p", "Transfer-Encoding: chunked", ""));
  for (int i = 0; i < 40; ++i) client.send(chunk);
  const std::string answer = client.read_all();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 429 ")) << answer;
  EXPECT_NE(answer.find("Retry-After: 1\r\n"), std::string::npos) << answer;
  RawClient small(server_->port());
  small.send(post("/p", "Transfer-Encoding: chunked", "2\r\nhi\r\n0\r\n\r\n"));
  EXPECT_TRUE(small.read_until("hi").ends_with("\r\n\r\nhi"));
  thread_.join();
  EXPECT_EQ(asked_[0], (std::pair<std::string, std::optional<size_t>>("/p", std::nullopt)));
}

}  // namespace
}  // namespace sonde::net
