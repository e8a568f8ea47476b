// SPDX-License-Identifier: Apache-2.0
// Requests over HTTP/2 to a server that speaks HTTP/1.1 as well, from a client made of a session
// and a blocking socket.
#include <gtest/gtest.h>

#include <limits>
#include <map>

#include "base/memory_ledger.h"
#include "net/http/http_server.h"
#include "net/http2/session.h"
#include "net/testing/raw_client.h"

namespace sonde::net {
namespace {

using namespace std::chrono_literals;

class Client : private http2::Session::Events {
 public:
  explicit Client(uint16_t port, uint32_t window = http2::kDefaultWindow)
      : raw_(port), session_({.role = http2::Role::Client, .stream_window = window}, *this) {}

  struct Answer {
    Headers fields;
    std::string body;
    std::optional<http2::Code> closed;
    std::string_view operator[](std::string_view name) const { return find_header(fields, name); }
  };
  uint32_t send(Headers fields, std::string body = "") {
    http2::HeaderBlock head{std::move(fields)};
    const auto* stream = session_.open(head, {{}, Bytes::take(std::move(body))}, nullptr);
    const uint32_t id = stream == nullptr ? 0 : stream->id;
    flush();
    return id;
  }
  const Answer& wait(uint32_t id) {
    while (!answers_[id].closed) {
      const std::string bytes = raw_.read_some_bytes();
      if (bytes.empty() || !session_.receive(bytes)) break;
      flush();
    }
    return answers_[id];
  }
  // Until the server ends the connection.
  void wait_for_end() {
    for (;;) {
      const std::string bytes = raw_.read_some_bytes();
      if (bytes.empty() || !session_.receive(bytes)) return;
      flush();
    }
  }
  void flush() {
    for (session_.fill(); !session_.output().empty(); session_.fill()) {
      std::vector<std::string_view> pieces(session_.output().pieces());
      session_.output().front(pieces);
      for (const std::string_view piece : pieces) raw_.send(piece);
      session_.output().clear();
    }
  }
  bool goaway = false;

 private:
  void on_fields(http2::Stream& stream, const http2::FieldsPtr& fields, bool) override {
    answers_[stream.id].fields = fields->list;
  }
  void on_data(http2::Stream& stream, std::string_view bytes) override {
    answers_[stream.id].body += bytes;
  }
  void on_end(http2::Stream&) override {}
  void on_closed(http2::Stream& stream, http2::Code code) override {
    answers_[stream.id].closed = code;
  }
  void on_goaway(http2::Code, std::string_view) override { goaway = true; }

  RawClient raw_;
  http2::Session session_;
  std::map<uint32_t, Answer> answers_;
};

Headers post(std::string_view path) {
  return {
      {":method", "POST"}, {":scheme", "http"}, {":authority", "a"}, {":path", std::string(path)}};
}

class Http2Server : public ::testing::Test {
 protected:
  void serve(HttpServerOptions options = {}) {
    options.http2 = true;
    const auto echo = [this](const Request& request, Responder responder) {
      if (request.path == "/wait") return waiting_.push_back(std::move(responder));
      if (request.path == "/page") {
        ++pages_;
        return responder.respond({200, "text/plain", std::string(kPage, 'x'), {}});
      }
      if (request.path == "/held") {
        return responder.respond({.content_type = "text/plain",
                                  .body = std::string(100'000, 'h'),
                                  .headers = {},
                                  .held = std::exchange(held_, nullptr)});
      }
      if (request.path == "/stream") {
        stream_ = responder.start_stream({});
        return;
      }
      responder.respond({200,
                         "text/plain",
                         request.method + " " + request.path + "?" + request.query + " " +
                             std::string(request.header("Host")) + " " +
                             std::string(request.body.view()),
                         {{"X-Kind", "echo"}, {"Connection", "close"}}});
    };
    server_ = thread_.on_loop([&] {
      return HttpServer::listen(thread_.loop, "127.0.0.1:0", echo, std::move(options)).value();
    });
  }
  void TearDown() override {
    thread_.join();
    waiting_.clear();
    server_.reset();
  }
  static constexpr size_t kPage = 512 * 1024;
  LoopThread thread_;
  std::unique_ptr<HttpServer> server_;
  std::shared_ptr<const void> held_;
  std::vector<Responder> waiting_;
  Stream stream_;
  size_t pages_ = 0;
};

TEST_F(Http2Server, LetsGoOfWhatAnAnswerHoldsWhenItWasSentOrCannotBe) {
  serve();
  for (const bool read : {true, false}) {
    const std::weak_ptr<const void> held = thread_.on_loop([&] {
      held_ = std::make_shared<int>();
      return std::weak_ptr(held_);
    });
    {
      Client client(server_->port());
      const uint32_t id = client.send(post("/held"));
      if (read) EXPECT_EQ(client.wait(id).body.size(), 100'000u);
    }
    const auto until = std::chrono::steady_clock::now() + 20s;
    while (!thread_.on_loop([&] { return held.expired() && !held_; }) &&
           std::chrono::steady_clock::now() < until) {
    }
    EXPECT_TRUE(held.expired());
  }
}

TEST_F(Http2Server, AnswersSeveralRequestsOfOneConnectionAtOnce) {
  serve();
  Client client(server_->port());
  const uint32_t late = client.send(post("/wait"), "x");
  const uint32_t small = client.send(post("/a%20b?c=d"), "hi");
  const auto& answer = client.wait(small);
  EXPECT_EQ(answer[":status"], "200");
  EXPECT_EQ(answer["content-type"], "text/plain");
  EXPECT_EQ(answer["x-kind"], "echo");
  EXPECT_EQ(answer["connection"], "");
  EXPECT_EQ(answer.body, "POST /a b?c=d a hi");
  const std::string large(5'000'000, 'x');
  const auto& echoed = client.wait(client.send(post("/large"), large));
  EXPECT_TRUE(echoed.body == "POST /large? a " + large) << echoed.body.size();
  thread_.on_loop([&] { waiting_.front().respond({204, "", "", {}}); });
  EXPECT_EQ(client.wait(late)[":status"], "204");
}

// RFC 9113 section 8.1.1: what was cut on its way is no request.
TEST_F(Http2Server, RefusesABodyOfAnotherLengthThanItSaid) {
  serve();
  Client client(server_->port());
  for (const auto& [said, body] : {std::pair("5", "body"), {"3", "body"}, {"1", ""}}) {
    Headers head = post("/cut");
    head.push_back({"content-length", said});
    EXPECT_EQ(client.wait(client.send(head, body))[":status"], "400") << said;
  }
  Headers head = post("/whole");
  head.push_back({"content-length", "4"});
  EXPECT_EQ(client.wait(client.send(head, "body"))[":status"], "200");
}

TEST_F(Http2Server, StillSpeaksHttp1) {
  serve();
  RawClient client(server_->port());
  client.send("P");  // may be either
  client.send("OST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
  EXPECT_TRUE(client.read_until(" a hi").starts_with("HTTP/1.1 200 OK"));
}

TEST_F(Http2Server, RefusesWhatIsTooLargeOrMalformed) {
  serve({.max_body = 1000});
  Client client(server_->port());
  Headers long_head = post("/");
  long_head.push_back({"x-long", std::string(30'000, 'x')});
  EXPECT_EQ(client.wait(client.send(long_head))[":status"], "431");
  Headers said = post("/");
  said.push_back({"content-length", "2000"});
  EXPECT_EQ(client.wait(client.send(said, std::string(2000, 'x')))[":status"], "413");
  EXPECT_EQ(client.wait(client.send(post("/"), std::string(2000, 'x')))[":status"], "413");
  EXPECT_EQ(client.wait(client.send(post("/a%zz")))[":status"], "400");
  EXPECT_EQ(client.wait(client.send(post("no-path")))[":status"], "400");
  said.back().value = "many";
  EXPECT_EQ(client.wait(client.send(said, "x"))[":status"], "400");
  EXPECT_EQ(client.wait(client.send(post("/stream")))[":status"], "501");
  EXPECT_EQ(client.wait(client.send(post("/"), "x"))[":status"], "200") << "it goes on";
}

TEST_F(Http2Server, LetsBrowsersSend) {
  serve({.response_headers = {{"X-Served-By", "test"}},
         .cors = std::make_shared<Cors>(CorsSettings{.allowed_origins = {"https://a"}})});
  Client client(server_->port());
  Headers ask = post("/");
  ask[0].value = "OPTIONS";
  ask.push_back({"origin", "https://a"});
  ask.push_back({"access-control-request-method", "POST"});
  const auto permission = client.wait(client.send(ask));
  EXPECT_EQ(permission[":status"], "204");
  EXPECT_EQ(permission["access-control-allow-methods"], "POST");
  EXPECT_EQ(permission["x-served-by"], "test");
  Headers sent = post("/");
  sent.push_back({"origin", "https://a"});
  const auto& answer = client.wait(client.send(sent, "x"));
  EXPECT_EQ(answer["access-control-allow-origin"], "https://a");
  EXPECT_EQ(answer["x-served-by"], "test");
}

TEST_F(Http2Server, EndsConnectionsThatAreIdleOrNeverGreet) {
  serve({.idle_timeout = 40ms, .header_timeout = 20ms});
  RawClient half(server_->port());
  half.send("PRI * HT");
  EXPECT_NE(half.read_all().find(""), std::string::npos);  // ends
  Client client(server_->port());
  client.wait(client.send(post("/"), "x"));
  client.wait_for_end();
  EXPECT_TRUE(client.goaway);
}

TEST_F(Http2Server, GivesUpOnASlowBody) {
  serve({.body_timeout = 20ms});
  RawClient raw(server_->port());
  http2::HeaderEncoder encoder;
  http2::HeaderBlock head{post("/")};
  const std::string_view block = encoder.encode(head);
  const auto headers = http2::write_frame_head({.length = static_cast<uint32_t>(block.size()),
                                                .type = http2::Type::Headers,
                                                .flags = http2::kEndHeaders,
                                                .stream = 1});
  const auto settings = http2::write_frame_head({.type = http2::Type::Settings});
  raw.send(http2::kPreface);
  raw.send({settings.data(), settings.size()});
  raw.send({headers.data(), headers.size()});
  raw.send(block);
  EXPECT_NE(raw.read_until("did not arrive in time").find("did not arrive in time"),
            std::string::npos);
}

// A hundred requests take a few kB, and their answers a hundred pages.
TEST_F(Http2Server, MakesNoMoreAnswersThanThePeerTakes) {
  serve({.write_timeout = 200ms});
  Client stuck(server_->port(), 0);
  for (int i = 0; i < 10; ++i) stuck.send(post("/page"));
  ASSERT_TRUE(thread_.eventually([&] { return server_->connections() == 1 && pages_ > 0; }));
  stuck.wait_for_end();
  EXPECT_TRUE(thread_.eventually([&] { return server_->connections() == 0; }));
  EXPECT_EQ(thread_.on_loop([&] { return pages_; }), 2u);

  Client reads(server_->port());
  std::vector<uint32_t> asked;
  for (int i = 0; i < 10; ++i) asked.push_back(reads.send(post("/page")));
  for (const uint32_t id : asked) EXPECT_EQ(reads.wait(id).body.size(), kPage);
}

TEST_F(Http2Server, TakesNoHeadsThatThereIsNoMemoryFor) {
  serve();
  const MemoryLedger& ledger = MemoryLedger::process();
  const size_t before = ledger.held();
  Client client(server_->port());
  Headers head = post("/wait");
  head.push_back({"x-long", std::string(3'000, 'x')});
  for (int i = 0; i < 20; ++i) client.send(head);
  EXPECT_TRUE(thread_.eventually([&] { return waiting_.size() == 20; }));
  EXPECT_GE(ledger.held(), before + 20 * 3'000);
  struct Limit {
    Limit() { MemoryLedger::process().set_limit(0); }
    ~Limit() { MemoryLedger::process().set_limit(std::numeric_limits<size_t>::max()); }
  } limit;
  const auto refused = client.wait(client.send(post("/")));
  EXPECT_EQ(refused[":status"], "429");
  EXPECT_EQ(refused["retry-after"], "1");
  Client other(server_->port());
  EXPECT_EQ(other.wait(other.send(post("/")))[":status"], "200");
}

TEST_F(Http2Server, EndsItsRequestsWhenItIsDrained) {
  serve({.header_timeout = 20ms});  // of which a tick is a part
  Client client(server_->port());
  const uint32_t open = client.send(post("/wait"), "x");
  client.wait(client.send(post("/"), "x"));
  thread_.on_loop([&] { server_->drain(); });
  EXPECT_FALSE(thread_.on_loop([&] { return server_->drained(); }));
  thread_.on_loop([&] { waiting_.front().respond({200, "", "late", {}}); });
  EXPECT_EQ(client.wait(open).body, "late");
  client.wait_for_end();
  EXPECT_TRUE(client.goaway);
  EXPECT_TRUE(thread_.eventually([&] { return server_->drained(); }));
}

TEST_F(Http2Server, LeavesHarmlessRespondersBehind) {
  serve();
  {
    Client client(server_->port());
    client.send(post("/wait"), "x");
    client.wait(client.send(post("/"), "x"));
  }
  ASSERT_TRUE(thread_.eventually([&] { return server_->connections() == 0; }));
  thread_.on_loop([&] { waiting_.front().respond({}); });
  Client again(server_->port());
  EXPECT_EQ(again.wait(again.send(post("/"), "x"))[":status"], "200");
  again.send(post("/wait"), "x");
  ASSERT_TRUE(thread_.eventually([&] { return waiting_.size() == 2; }));
  thread_.on_loop([&] { server_.reset(); });
  waiting_.clear();
}

}  // namespace
}  // namespace sonde::net
