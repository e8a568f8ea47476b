// SPDX-License-Identifier: Apache-2.0
// Who is let in is known from the head of a request: nothing is set aside for strangers and nothing
// of what they send is kept, over HTTP/1.1, HTTP/2 and gRPC.
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>

#include "base/memory_ledger.h"
#include "base/testing/eventually.h"
#include "config/yaml.h"
#include "data/testing/sample.h"
#include "net/grpc/grpc_frame.h"
#include "net/http/http_server.h"
#include "net/http2/session.h"
#include "net/testing/raw_client.h"
#include "pipeline/auth/authenticator.h"
#include "pipeline/otlp_export.h"
#include "pipeline/testing/loop_host.h"

const sonde::pipeline::ComponentType& sonde_component_receiver_otlp();

namespace sonde {
namespace {

using pipeline::AuthData;

constexpr std::string_view kExportTraces =
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
constexpr size_t kMuch = 3 << 20;

// Knows "friend" at once, "slow" when the test says, and nobody else.
class Porter final : public pipeline::Component, public pipeline::ServerAuthenticator {
 public:
  std::optional<Result<AuthData>> check(const net::Headers& headers) override {
    const std::string_view name = net::find_header(headers, "authorization");
    if (name == "slow") return std::nullopt;
    if (name == "friend") return AuthData{{"name", "friend"}};
    return fail(ErrorKind::Denied, "who are you");
  }
  void verify(const net::Headers&, Scheduler&, pipeline::AuthDone done) override {
    asked.push_back(std::move(done));
  }
  std::vector<pipeline::AuthDone> asked;
};

struct Asked final : Gate {
  Result<> change(const Need& from, const Need& to) override {
    if (from.requests == 0 && to.requests > 0) ++requests;
    return {};
  }
  std::atomic<int> requests = 0;
};

class Pipelines final : public Sink {
 public:
  void gates(Signal, Gates& out) override { out.push_back(asked); }
  void consume(Batch batch) override {
    items += batch.items();
    if (batch.context && !batch.context->auth.empty()) sender = batch.context->auth[0].second;
    batch.ack.deliver();
  }
  std::shared_ptr<Asked> asked = std::make_shared<Asked>();
  size_t items = 0;
  std::string sender;
};

// Calls over HTTP/2, a frame at a time, from a blocking socket.
class Peer : private net::http2::Session::Events {
 public:
  explicit Peer(uint16_t port) : raw_(port), session_({.role = net::http2::Role::Client}, *this) {}

  // The head, and as much of a body of `size` bytes as is given.
  uint32_t begin(net::Headers fields, std::string part, size_t size) {
    net::http2::HeaderBlock head{std::move(fields)};
    auto* const stream = session_.open(head, {}, nullptr);
    const uint32_t id = stream->id;
    std::string bytes;
    for (std::string_view piece : pieces()) bytes += piece;
    session_.output().clear();
    part.resize(std::min(part.size(), size));
    bytes +=
        frame(net::http2::Type::Data, part.size() == size ? net::http2::kEndStream : 0, id, part);
    raw_.send(bytes);
    return id;
  }
  void more(uint32_t id, std::string_view last) {
    raw_.send(frame(net::http2::Type::Data, net::http2::kEndStream, id, last));
  }
  std::string wait(uint32_t id, std::string_view field) {
    while (!ended_[id]) {
      const std::string bytes = raw_.read_some_bytes();
      if (bytes.empty() || !session_.receive(bytes)) break;
      for (std::string_view piece : pieces()) raw_.send(piece);
      session_.output().clear();
    }
    return std::string(net::find_header(fields_[id], field));
  }

 private:
  static std::string frame(net::http2::Type type, uint8_t flags, uint32_t stream,
                           std::string_view payload) {
    const auto head = net::http2::write_frame_head({.length = static_cast<uint32_t>(payload.size()),
                                                    .type = type,
                                                    .flags = flags,
                                                    .stream = stream});
    return std::string(head.data(), head.size()).append(payload);
  }
  std::vector<std::string_view> pieces() {
    std::vector<std::string_view> out(session_.output().pieces());
    session_.output().front(out);
    return out;
  }
  void on_fields(net::http2::Stream& stream, const net::http2::FieldsPtr& fields, bool) override {
    auto& all = fields_[stream.id];
    all.insert(all.end(), fields->list.begin(), fields->list.end());
  }
  void on_data(net::http2::Stream&, std::string_view) override {}
  void on_end(net::http2::Stream&) override {}
  void on_closed(net::http2::Stream& stream, net::http2::Code) override {
    ended_[stream.id] = true;
  }

  net::RawClient raw_;
  std::map<uint32_t, net::Headers> fields_;
  std::map<uint32_t, bool> ended_;
  net::http2::Session session_;
};

class Receiver_otlp_auth : public ::testing::Test {
 protected:
  Receiver_otlp_auth() {
    host_.extensions = {{"porter", &porter_}};
    grpc_ = free_port();
    http_ = free_port();
    const auto settings =
        config::parse_yaml("protocols: {grpc: {endpoint: \"127.0.0.1:" + std::to_string(grpc_) +
                               "\", auth: {authenticator: porter}}, http: {endpoint: \"127.0.0.1:" +
                               std::to_string(http_) + "\", auth: {authenticator: porter}}}",
                           "test");
    auto made = sonde_component_receiver_otlp().create(*settings, "otlp", {.traces = &sink_});
    EXPECT_TRUE(made) << made.error().message;
    receiver_ = std::move(*made);
    const auto started = receiver_->start(host_);
    EXPECT_TRUE(started) << started.error().message;
    thread_ = std::thread([this] { host_.loop().run(); });
  }
  ~Receiver_otlp_auth() override {
    host_.loop().stop();
    thread_.join();
    receiver_.reset();
  }
  uint16_t free_port() {
    return net::HttpServer::listen(host_.loop(), "127.0.0.1:0", [](const auto&, auto) {})
        .value()
        ->port();
  }
  template <class Fn>
  auto on_loop(Fn fn) {
    std::packaged_task<decltype(fn())()> task(std::move(fn));
    auto result = task.get_future();
    host_.loop().post([&task] { task(); });
    return result.get();
  }
  bool eventually(const std::function<bool()>& check) {
    return sonde::eventually([&] { return on_loop(check); });
  }
  void let_in(bool friendly) {
    ASSERT_TRUE(eventually([&] { return !porter_.asked.empty(); }));
    on_loop([&] {
      auto done = std::move(porter_.asked.back());
      porter_.asked.pop_back();
      if (friendly) {
        done(AuthData{{"name", "slow"}});
      } else {
        done(fail(ErrorKind::Denied, "wrong password"));
      }
      return 0;
    });
  }
  static std::string head(std::string_view who, size_t length) {
    return "POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-protobuf\r\n"
           "Authorization: " +
           std::string(who) + "\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
  }
  static net::Headers grpc_head(std::string_view who, std::string_view path = kExportTraces) {
    return {{":method", "POST"},
            {":scheme", "http"},
            {":path", std::string(path)},
            {":authority", "a"},
            {"te", "trailers"},
            {"content-type", "application/grpc"},
            {"authorization", std::string(who)}};
  }
  static net::Headers http2_head(std::string_view who, size_t length) {
    return {{":method", "POST"},
            {":scheme", "http"},
            {":path", "/v1/traces"},
            {":authority", "a"},
            {"content-type", "application/x-protobuf"},
            {"content-length", std::to_string(length)},
            {"authorization", std::string(who)}};
  }
  const std::string body_{pipeline::joined(testing::sample_spans(3)).view()};
  const std::string message_ = net::grpc_prefix(body_.size()) + body_;

  pipeline::LoopHost host_{"otlp"};
  Porter porter_;
  Pipelines sink_;
  uint16_t grpc_ = 0, http_ = 0;
  std::unique_ptr<pipeline::Component> receiver_;
  std::thread thread_;
};

TEST_F(Receiver_otlp_auth, TurnsStrangersAwayBeforeTheirBody) {
  net::RawClient client(http_);
  client.send(head("stranger", kMuch));
  const std::string answer = client.read_until("who are you");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 401 ")) << answer;

  Peer http2(http_);
  EXPECT_EQ(http2.wait(http2.begin(http2_head("stranger", kMuch), "", kMuch), ":status"), "401");
  Peer grpc(grpc_);
  const std::string prefix = net::grpc_prefix(kMuch);
  const uint32_t call = grpc.begin(grpc_head("stranger"), prefix, kMuch + prefix.size());
  EXPECT_EQ(grpc.wait(call, "grpc-status"), "16");
  EXPECT_EQ(sink_.asked->requests, 0);
}

TEST_F(Receiver_otlp_auth, LetsFriendsIn) {
  net::RawClient client(http_);
  client.send(head("friend", body_.size()) + body_);
  EXPECT_TRUE(client.read_until("\r\n").starts_with("HTTP/1.1 200 "));
  Peer http2(http_);
  const uint32_t request = http2.begin(http2_head("friend", body_.size()), body_, body_.size());
  EXPECT_EQ(http2.wait(request, ":status"), "200");
  Peer grpc(grpc_);
  EXPECT_EQ(grpc.wait(grpc.begin(grpc_head("friend"), message_, message_.size()), "grpc-status"),
            "0");
  EXPECT_EQ(on_loop([&] { return sink_.items; }), 9u);
  EXPECT_EQ(on_loop([&] { return sink_.sender; }), "friend");
  EXPECT_EQ(sink_.asked->requests, 3);
}

TEST_F(Receiver_otlp_auth, AsksForNoRoomUntilTheSenderIsKnown) {
  for (const bool friendly : {false, true}) {
    const int before = sink_.asked->requests;
    net::RawClient client(http_);
    client.send(head("slow", body_.size()) + body_);
    Peer http2(http_);
    Peer grpc(grpc_);
    ASSERT_TRUE(eventually([&] { return porter_.asked.size() == 1; }));
    const uint32_t request = http2.begin(http2_head("slow", body_.size()), body_, body_.size());
    ASSERT_TRUE(eventually([&] { return porter_.asked.size() == 2; }));
    const uint32_t call = grpc.begin(grpc_head("slow"), message_, message_.size());
    ASSERT_TRUE(eventually([&] { return porter_.asked.size() == 3; }));
    EXPECT_EQ(sink_.asked->requests, before);
    for (int i = 0; i < 3; ++i) let_in(friendly);
    const std::string status = friendly ? "200" : "401";
    EXPECT_TRUE(client.read_until("\r\n").starts_with("HTTP/1.1 " + status));
    EXPECT_EQ(http2.wait(request, ":status"), status);
    EXPECT_EQ(grpc.wait(call, "grpc-status"), friendly ? "0" : "16");
    EXPECT_EQ(sink_.asked->requests, before + (friendly ? 3 : 0));
  }
  EXPECT_EQ(on_loop([&] { return sink_.items; }), 9u);
  EXPECT_EQ(on_loop([&] { return sink_.sender; }), "slow");
}

TEST_F(Receiver_otlp_auth, GoesOnWithAMessageWhoseSenderBecameKnownInItsMiddle) {
  Peer grpc(grpc_);
  const std::string rest = message_.substr(7);
  const uint32_t call = grpc.begin(grpc_head("slow"), message_.substr(0, 7), message_.size());
  let_in(true);
  EXPECT_TRUE(eventually([&] { return sink_.asked->requests == 1; }));
  grpc.more(call, rest);
  EXPECT_EQ(grpc.wait(call, "grpc-status"), "0");
}

TEST_F(Receiver_otlp_auth, RefusesAnUnknownMethodBeforeItsMessage) {
  const size_t held = MemoryLedger::process().held();
  Peer grpc(grpc_);
  const std::string prefix = net::grpc_prefix(kMuch);
  const uint32_t call = grpc.begin(grpc_head("friend", "/a.B/C"), prefix, kMuch + prefix.size());
  EXPECT_EQ(grpc.wait(call, "grpc-status"), "12");
  EXPECT_LT(on_loop([] { return MemoryLedger::process().held(); }), held + kMuch);
}

}  // namespace
}  // namespace sonde
