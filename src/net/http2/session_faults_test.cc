// SPDX-License-Identifier: Apache-2.0
// What a session says to a peer that breaks the rules.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "net/testing/h2_sessions.h"

namespace sonde::net::http2 {
namespace {

TEST(Http2Session, EndsAConnectionThatIsAtFault) {
  const std::string head = request_fields();
  const std::string open = frame(Type::Headers, kEndHeaders, 1, head);
  const struct {
    const char* what;
    std::string bytes;
    Code code;
  } kCases[] = {
      {"data on no stream", frame(Type::Data, 0, 0, "x"), Code::ProtocolError},
      {"data on an idle stream", frame(Type::Data, 0, 1, "x"), Code::ProtocolError},
      {"an even stream", frame(Type::Headers, kEndHeaders, 2, head), Code::ProtocolError},
      {"headers on stream 0", frame(Type::Headers, kEndHeaders, 0, head), Code::ProtocolError},
      {"a broken block", frame(Type::Headers, kEndHeaders, 1, "\xff\xff\xff\xff\xff\xff"),
       Code::CompressionError},
      {"padding beyond a head", frame(Type::Headers, kEndHeaders | kPadded, 1, "\x05x"),
       Code::ProtocolError},
      {"padding beyond data", open + frame(Type::Data, kPadded, 1, "\x05x"), Code::ProtocolError},
      {"no continuation", frame(Type::Headers, 0, 1, head) + frame(Type::Ping, 0, 0, "12345678"),
       Code::ProtocolError},
      {"a continuation of nothing", frame(Type::Continuation, kEndHeaders, 1, head),
       Code::ProtocolError},
      {"a continuation of another stream",
       frame(Type::Headers, 0, 1, head) + frame(Type::Continuation, kEndHeaders, 3, ""),
       Code::ProtocolError},
      {"a frame over its limit", frame(Type::Data, 0, 1, std::string(16385, 'x')),
       Code::FrameSizeError},
      {"a ping of seven bytes", frame(Type::Ping, 0, 0, "1234567"), Code::FrameSizeError},
      {"a ping with a stream", frame(Type::Ping, 0, 1, "12345678"), Code::ProtocolError},
      {"settings with a stream", frame(Type::Settings, 0, 1, ""), Code::ProtocolError},
      {"settings of five bytes", frame(Type::Settings, 0, 0, "12345"), Code::FrameSizeError},
      {"an acknowledgement that says something",
       frame(Type::Settings, kAck, 0, setting(Setting::EnablePush, 0)), Code::FrameSizeError},
      {"push of 2", frame(Type::Settings, 0, 0, setting(Setting::EnablePush, 2)),
       Code::ProtocolError},
      {"a window of 2^31",
       frame(Type::Settings, 0, 0, setting(Setting::InitialWindowSize, 1U << 31)),
       Code::FlowControlError},
      {"frames of 16383", frame(Type::Settings, 0, 0, setting(Setting::MaxFrameSize, 16383)),
       Code::ProtocolError},
      {"a push", frame(Type::PushPromise, kEndHeaders, 1, uint32(2)), Code::ProtocolError},
      {"a window of nothing", frame(Type::WindowUpdate, 0, 0, uint32(0)), Code::ProtocolError},
      {"a window over 2^31", frame(Type::WindowUpdate, 0, 0, uint32(0x7fffffff)),
       Code::FlowControlError},
      {"a window of an idle stream", frame(Type::WindowUpdate, 0, 1, uint32(1)),
       Code::ProtocolError},
      {"a reset of an idle stream", frame(Type::Reset, 0, 1, uint32(8)), Code::ProtocolError},
      {"a reset of three bytes", open + frame(Type::Reset, 0, 1, "123"), Code::FrameSizeError},
      {"a farewell of seven bytes", frame(Type::Goaway, 0, 0, "1234567"), Code::FrameSizeError},
      {"a priority on stream 0", frame(Type::Priority, 0, 0, "12345"), Code::ProtocolError},
  };
  for (const auto& [what, bytes, code] : kCases) {
    Server server;
    server.greet();
    EXPECT_EQ(code_of(server.tell(bytes), Type::Goaway), code) << what;
    EXPECT_EQ(server.session.receive(frame(Type::Ping, 0, 0, "12345678")), code == Code::NoError)
        << what;
  }
}

TEST(Http2Session, EndsAStreamThatIsAtFault) {
  const std::string open = frame(Type::Headers, kEndHeaders, 1, request_fields());
  const struct {
    const char* what;
    std::string bytes;
    Code code;
  } kCases[] = {
      {"no path", frame(Type::Headers, kEndHeaders, 1, literals({{":method", "POST"}})),
       Code::ProtocolError},
      {"data after the end",
       open + frame(Type::Data, kEndStream, 1, "x") + frame(Type::Data, 0, 1, "y"),
       Code::StreamClosed},
      {"a second head", open + frame(Type::Headers, kEndHeaders, 1, request_fields()),
       Code::ProtocolError},
      {"trailers that do not end it",
       open + frame(Type::Headers, kEndHeaders, 1, literals({{"a", "b"}})), Code::ProtocolError},
      {"a window of nothing", open + frame(Type::WindowUpdate, 0, 1, uint32(0)),
       Code::ProtocolError},
      {"a window over 2^31", open + frame(Type::WindowUpdate, 0, 1, uint32(0x7fffffff)),
       Code::FlowControlError},
      {"a priority of four bytes", open + frame(Type::Priority, 0, 1, "1234"),
       Code::FrameSizeError},
  };
  for (const auto& [what, bytes, code] : kCases) {
    Server server;
    server.greet();
    EXPECT_EQ(code_of(server.tell(bytes), Type::Reset), code) << what;
    EXPECT_TRUE(server.session.error().empty()) << what;
    EXPECT_EQ(server.session.streams(), 0U) << what;
    EXPECT_TRUE(server.session.receive(frame(Type::Headers, kEndHeaders, 3, request_fields())));
  }
}

TEST(Http2Session, EndsAStreamThatSendsMoreThanItsWindow) {
  Server server({.stream_window = 100});
  server.greet();
  const std::string open = frame(Type::Headers, kEndHeaders, 1, request_fields());
  EXPECT_EQ(
      code_of(server.tell(open + frame(Type::Data, 0, 1, std::string(100, 'x'))), Type::Reset),
      Code::NoError);
  EXPECT_EQ(server.log.body[1].size(), 100U);
  // All of it was taken, and so its window is open again.
  EXPECT_EQ(code_of(server.tell(frame(Type::Data, 0, 1, std::string(101, 'x'))), Type::Reset),
            Code::FlowControlError);
  EXPECT_EQ(server.log.body[1].size(), 100U);
}

TEST(Http2Session, SaysThatThePeerSpeaksSomethingElse) {
  Server server;
  EXPECT_FALSE(server.session.receive("GET / HTTP/1.1\r\n\r\n"));
  EXPECT_EQ(server.session.error(), "the peer does not speak HTTP/2");
  Log log;
  Session client({.role = Role::Client}, log);
  EXPECT_FALSE(client.receive("HTTP/1.1 400 Bad Request\r\n\r\n"));
  EXPECT_EQ(client.error(), "the peer does not speak HTTP/2");
}

TEST(Http2Session, RefusesStreamsOverItsLimit) {
  Server server({.max_streams = 2});
  server.greet();
  std::string bytes;
  for (const uint32_t id : {1U, 3U, 5U})
    bytes += frame(Type::Headers, kEndHeaders, id, request_fields());
  EXPECT_EQ(code_of(server.tell(bytes), Type::Reset), Code::RefusedStream);
  EXPECT_EQ(server.session.streams(), 2U);
}

TEST(Http2Session, EndsAConnectionThatOnlyBeginsAndResets) {
  Server server;
  server.greet();
  server.session.tick(0);
  uint32_t id = 1;
  const auto reset = [&] {
    const std::string both = frame(Type::Headers, kEndHeaders, id, request_fields()) +
                             frame(Type::Reset, 0, id, uint32(8));
    id += 2;
    return code_of(server.tell(both), Type::Goaway);
  };
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(reset(), Code::NoError) << i;
  server.session.tick(1'000'000'000);  // a second later: 33 more
  server.session.tick(1'500'000'000);
  for (int i = 0; i < 33; ++i) ASSERT_EQ(reset(), Code::NoError) << i;
  EXPECT_EQ(reset(), Code::EnhanceYourCalm);
}

TEST(Http2Session, EndsAConnectionThatContinuesHeadersForEver) {
  Server server;
  server.greet();
  std::string bytes = frame(Type::Headers, 0, 1, request_fields());
  for (int i = 0; i < 8; ++i) bytes += frame(Type::Continuation, 0, 1, literals({{"a", "b"}}));
  EXPECT_EQ(code_of(server.tell(bytes), Type::Goaway), Code::NoError);
  EXPECT_EQ(code_of(server.tell(frame(Type::Continuation, 0, 1, "")), Type::Goaway),
            Code::EnhanceYourCalm);
  Server other;
  other.greet();
  EXPECT_EQ(code_of(other.tell(frame(Type::Headers, kEndHeaders, 1, std::string(65537, '\x82'))),
                    Type::Goaway),
            Code::FrameSizeError);
}

TEST(Http2Session, EndsAConnectionThatDoesNotReadWhatItAsksFor) {
  Server server;
  server.greet();
  std::string pings;
  for (int i = 0; i < 1000; ++i) pings += frame(Type::Ping, 0, 0, "12345678");
  int rounds = 0;
  while (server.session.receive(pings)) ASSERT_LT(++rounds, 100);
  EXPECT_EQ(server.session.error(), "the peer does not read");
  EXPECT_LT(server.session.output().size(), 2U << 20);
}

TEST(Http2Session, ReadsTheSameHoweverTheBytesAreCut) {
  std::string wire = std::string(kPreface) + frame(Type::Settings, 0, 0, "");
  const std::string head = request_fields();
  wire += frame(Type::Headers, 0, 1, head.substr(0, 10)) +
          frame(Type::Continuation, kEndHeaders, 1, head.substr(10)) +
          frame(Type::Data, kPadded, 1, std::string(1, '\x03') + "hello" + std::string(3, '\0')) +
          frame(Type::Data, kPadded, 1, std::string(1, '\0') + "you") +
          frame(Type::Data, 0, 1, "") + frame(static_cast<Type>(99), 7, 1, "unknown") +
          frame(Type::Headers, kEndHeaders | kEndStream, 1, literals({{"a", "b"}})) +
          frame(Type::Headers, kEndHeaders | kPriority | kPadded, 3,
                std::string(1, '\x01') + "12345" + head + '\0') +
          frame(Type::Data, kEndStream, 3, "bye") + frame(Type::Ping, 0, 0, "12345678");
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    Server server;
    std::string_view rest = wire;
    while (!rest.empty()) {
      const size_t size = round == 0 ? 1 : std::min<size_t>(1 + random() % 40, rest.size());
      ASSERT_TRUE(server.session.receive(rest.substr(0, size))) << server.session.error();
      rest.remove_prefix(size);
    }
    EXPECT_EQ(server.log.seen[1], "fields:4 fields:1! ");
    EXPECT_EQ(server.log.body[1], "helloyou");
    EXPECT_EQ(server.log.seen[3], "fields:4 end ");
    EXPECT_EQ(server.log.body[3], "bye");
    EXPECT_EQ(frames_of(take(server.session)).back().head.type, Type::Ping);
  }
}

// Each change of it is one of all streams: 64 KiB of them over a thousand streams took 15 ms.
TEST(Http2Session, TakesTheLastWindowOfAFrame) {
  Server server;
  server.greet();
  server.tell(frame(Type::Headers, kEndHeaders, 1, request_fields()) +
              frame(Type::WindowUpdate, 0, 1, uint32(0x7fffffff - kDefaultWindow)));
  const auto twice = [](uint32_t first, uint32_t second) {
    return frame(
        Type::Settings, 0, 0,
        setting(Setting::InitialWindowSize, first) + setting(Setting::InitialWindowSize, second));
  };
  EXPECT_EQ(code_of(server.tell(twice(kDefaultWindow + 1, 100)), Type::Goaway), Code::NoError);
  EXPECT_EQ(server.session.find(1)->send_window, 0x7fffffff - kDefaultWindow + 100);
  EXPECT_EQ(code_of(server.tell(twice(100, kDefaultWindow + 1)), Type::Goaway),
            Code::FlowControlError);
}

}  // namespace
}  // namespace sonde::net::http2
