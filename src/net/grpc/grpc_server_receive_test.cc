// SPDX-License-Identifier: Apache-2.0
// How a server puts messages together, whatever the frames and the reads that they come in: it
// reads the rest of a frame straight into its message.
#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <thread>

#include "base/memory_ledger.h"
#include "net/grpc/grpc_frame.h"
#include "net/grpc/grpc_server.h"
#include "net/http2/header_block.h"
#include "net/testing/h2_frames.h"
#include "net/testing/raw_client.h"

namespace sonde::net {
namespace {

constexpr uint8_t kData = 0, kHeaders = 1, kReset = 3, kSettings = 4;
constexpr uint8_t kAck = 1, kEndStream = 1, kEndHeaders = 4, kPadded = 8;

std::string frame(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload) {
  const auto size = static_cast<uint32_t>(payload.size());
  std::string out;
  for (const int shift : {16, 8, 0}) out += static_cast<char>(size >> shift);
  out += static_cast<char>(type);
  out += static_cast<char>(flags);
  for (const int shift : {24, 16, 8, 0}) out += static_cast<char>(stream >> shift);
  return out.append(payload);
}

// A literal of HPACK without indexing (RFC 7541 section 6.2.2).
std::string field(std::string_view name, std::string_view value) {
  std::string out(1, '\0');
  out += static_cast<char>(name.size());
  out += name;
  out += static_cast<char>(value.size());
  return out.append(value);
}

std::string head(uint32_t stream) {
  return frame(kHeaders, kEndHeaders, stream,
               field(":method", "POST") + field(":scheme", "http") + field(":path", "/t.T/Call") +
                   field(":authority", "x") + field("content-type", "application/grpc") +
                   field("te", "trailers"));
}

struct Script {
  explicit Script(uint32_t seed) : random(seed) {}
  uint32_t below(uint32_t limit) { return static_cast<uint32_t>(random() % limit); }
  std::string text(size_t size) {
    std::string out(size, ' ');
    for (char& c : out) c = static_cast<char>(random());
    return out;
  }

  // The frames of one call: whole, cut off by a reset, or with more than its message.
  std::deque<std::string> call(uint32_t stream) {
    std::string message = text(below(4) == 0 ? below(100) : below(300'000));
    std::string body = grpc_prefix(message.size()) + message;
    const uint32_t fate = below(6);
    if (fate == 0) body += text(1 + below(40'000));
    std::deque<std::string> frames = {head(stream)};
    const size_t end = fate == 1 ? below(static_cast<uint32_t>(body.size())) : body.size();
    for (size_t at = 0; at < end;) {
      const size_t size = std::min<size_t>(1 + below(below(2) == 0 ? 200 : 60'000), end - at);
      const bool last = at + size == body.size();
      std::string payload = body.substr(at, size);
      uint8_t flags = last ? kEndStream : 0;
      if (below(4) == 0) {
        const auto padding = static_cast<uint8_t>(below(256));
        payload = std::string(1, static_cast<char>(padding)) + payload + std::string(padding, '\0');
        flags |= kPadded;
      }
      frames.push_back(frame(kData, flags, stream, payload));
      at += size;
    }
    if (fate == 1) frames.push_back(frame(kReset, 0, stream, std::string_view("\0\0\0\x8", 4)));
    if (fate > 1) expected[message]++;
    return frames;
  }

  std::mt19937 random;
  std::map<std::string, int> expected;
};

// Where `later` is set, who sends is known only some time after the first bytes have come.
void send_calls_in_pieces(uint32_t seed, bool later) {
  LoopThread thread;
  std::map<std::string, int> received;
  std::mt19937 patience(seed);
  GrpcServerOptions options;
  if (later) {
    options.identify = [&](const GrpcRequest&,
                           GrpcIdentifiedLater answer) -> std::optional<GrpcIdentified> {
      thread.loop.after(std::chrono::microseconds(patience() % 3000),
                        [answer = std::move(answer)]() mutable { answer(Sender()); });
      return std::nullopt;
    };
  }
  auto server = thread.on_loop([&] {
    return *GrpcServer::listen(
        thread.loop, "127.0.0.1:0",
        [&](GrpcRequest request, GrpcResponder responder) {
          received[std::string(request.message.view())]++;
          responder.respond(
              request.message.view() == "the end" ? Bytes::copy("the answer to the end") : Bytes());
        },
        std::move(options));
  });
  Script script(seed);
  std::string wire = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(kSettings, 0, 0, "") +
                     frame(kSettings, kAck, 0, "");
  // Two calls at a time, their frames mixed.
  uint32_t stream = 1;
  for (int pair = 0; pair < 20; ++pair, stream += 4) {
    auto a = script.call(stream);
    auto b = script.call(stream + 2);
    wire += a.front() + b.front();
    a.pop_front();
    b.pop_front();
    while (!a.empty() || !b.empty()) {
      auto& from = b.empty() || (!a.empty() && script.below(2) == 0) ? a : b;
      wire += from.front();
      from.pop_front();
    }
  }
  wire += head(stream) + frame(kData, kEndStream, stream, grpc_prefix(7) + "the end");
  script.expected["the end"] = 1;

  RawClient client(server->port());
  ASSERT_TRUE(client.connected);
  // The acknowledgement of the server's settings allows its large frames.
  for (std::string_view rest = wire; !rest.empty();) {
    const size_t size = std::min<size_t>(1 + script.below(90'000), rest.size());
    ASSERT_TRUE(client.send(rest.substr(0, size)));
    rest.remove_prefix(size);
    thread.on_loop([] { return 0; });  // Lets the server read this piece by itself.
  }
  EXPECT_NE(client.read_until("the answer to the end").find("the answer"), std::string::npos);
  // Whoever is known later is served later than the end.
  thread.eventually([&] { return received == script.expected; });
  client.close();
  thread.join();
  server.reset();
  EXPECT_TRUE(received == script.expected)
      << received.size() << " of " << script.expected.size() << " messages as they were sent";
}

TEST(GrpcServerReceive, PutsMessagesTogetherHoweverTheyAreCut) {
  for (const uint32_t seed : {1U, 2U, 3U}) {
    SCOPED_TRACE(seed);
    send_calls_in_pieces(seed, false);
  }
}

TEST(GrpcServerReceive, PutsMessagesTogetherWhoseSenderIsNotKnownYet) {
  for (const uint32_t seed : {1U, 2U, 3U}) {
    SCOPED_TRACE(seed);
    send_calls_in_pieces(seed, true);
  }
}

// What a peer is told of a call that the server refused.
std::string refusal_of(RawClient& client, uint32_t stream) {
  for (std::string all;;) {
    const std::string bytes = client.read_some_bytes();
    if (bytes.empty()) return "nothing came";
    all += bytes;
    http2::HeaderDecoder decoder(16 * 1024);
    for (const auto& [head, payload] : http2::frames_of(all)) {
      if (head.type != http2::Type::Headers) continue;
      const auto fields = decoder.decode(payload);
      if (head.stream == stream) return std::string(find_header(fields->list, "grpc-message"));
    }
  }
}

// Heads of a few bytes, whose calls have a minute to go on.
TEST(GrpcServer, BeginsNoCallsThatThereIsNoMemoryFor) {
  LoopThread thread;
  auto server = thread.on_loop([&] {
    return GrpcServer::listen(thread.loop, "127.0.0.1:0", [](GrpcRequest, GrpcResponder) {})
        .value();
  });
  {
    MemoryLedger& ledger = MemoryLedger::process();
    const size_t before = ledger.held();
    RawClient client(server->port());
    client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(kSettings, 0, 0, ""));
    for (uint32_t i = 0; i < 500; ++i) client.send(head(1 + 2 * i));
    EXPECT_TRUE(thread.eventually([&] { return ledger.held() >= before + 500 * 200; }));
    struct Limit {
      Limit() { MemoryLedger::process().set_limit(0); }
      ~Limit() { MemoryLedger::process().set_limit(std::numeric_limits<size_t>::max()); }
    } limit;
    client.send(head(1001));
    EXPECT_EQ(refusal_of(client, 1001), "the memory limit is reached");
    RawClient other(server->port());
    other.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(kSettings, 0, 0, ""));
    other.send(head(1) + frame(kData, kEndStream, 1, "short"));
    EXPECT_EQ(refusal_of(other, 1), "the message prefix is damaged");
  }
  thread.join();
  server.reset();
}

}  // namespace
}  // namespace sonde::net
