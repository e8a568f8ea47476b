// SPDX-License-Identifier: Apache-2.0
#include "net/http2/session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "net/testing/h2_sessions.h"

namespace sonde::net::http2 {
namespace {

TEST(Http2Session, CarriesCallsLargerThanEveryWindow) {
  Both both;
  const std::string large(3'000'000, 'x');
  both.server_log.whole = [&](Stream& stream) {
    both.server.respond(stream, both.head, {"echo ", Bytes::copy(both.server_log.body[stream.id])},
                        both.trailers);
  };
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(both.client.open(both.request, {"small ", Bytes::copy(large)}, nullptr));
  }
  both.run();
  for (const uint32_t id : {1U, 3U, 5U}) {
    EXPECT_TRUE(both.client_log.body[id] == "echo small " + large);
    EXPECT_EQ(both.client_log.seen[id], "fields:1 fields:1! closed:NO_ERROR");
    EXPECT_EQ(both.server_log.seen[id], "fields:4 end closed:NO_ERROR");
  }
  EXPECT_EQ(both.client.streams() + both.server.streams(), 0U);
}

// The stream of a request that the server has begun to answer, and whose body is to come; 0 where
// it has not.
uint32_t begin_answer(Both& both) {
  uint32_t id = 0;
  both.server_log.whole = [&](Stream& stream) {
    id = stream.id;
    both.server.begin_body(stream, both.head);
  };
  both.client.open(both.request, {"", {}}, nullptr);
  both.run();
  both.server_log.whole = nullptr;
  return id;
}

TEST(Http2Session, StreamsAnAnswerInPiecesLargerThanEveryWindow) {
  Both both;
  const uint32_t id = begin_answer(both);
  ASSERT_NE(id, 0u);
  EXPECT_EQ(both.client_log.seen[id], "fields:1 ") << "the head does not wait for a body";
  const std::string large(200'000, 'x');
  for (const std::string& piece : {std::string("one "), large, std::string(" three")}) {
    ASSERT_TRUE(both.server.body_sent(*both.server.find(id)));
    both.server.add_body(*both.server.find(id), {"", Bytes::copy(piece)});
    both.run();
  }
  EXPECT_EQ(both.client_log.body[id], "one " + large + " three");
  both.server.end_body(*both.server.find(id), both.trailers);
  both.run();
  EXPECT_EQ(both.client_log.seen[id], "fields:1 fields:1! closed:NO_ERROR");
  EXPECT_EQ(both.server.find(id), nullptr);
}

TEST(Http2Session, ResetsAStreamThatEndsBeforeItsLastPieceIsSent) {
  Both both;
  const uint32_t id = begin_answer(both);
  ASSERT_NE(id, 0u);
  both.server.add_body(*both.server.find(id), {"", Bytes::copy("unsent")});
  both.server.add_body(*both.server.find(id), {"", Bytes::copy("not taken")});
  both.server.end_body(*both.server.find(id), both.trailers);
  both.run();
  EXPECT_EQ(both.client_log.seen[id], "fields:1 closed:CANCEL");
  EXPECT_EQ(both.client_log.body[id], "");
}

TEST(Http2Session, OpensNoMoreStreamsThanThePeerAllows) {
  Both both;
  both.run();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(both.client.open(both.request, {}, nullptr));
  EXPECT_FALSE(both.client.open(both.request, {}, nullptr));
  both.server_log.whole = [&](Stream& stream) {
    if (stream.id == 1) both.server.respond(stream, both.head);
  };
  both.run();
  EXPECT_TRUE(both.client.open(both.request, {}, nullptr));
}

TEST(Http2Session, AnswersBeforeTheRequestHasEnded) {
  Both both;
  ASSERT_TRUE(
      both.client.open(both.request, {"", Bytes::take(std::string(1 << 20, 'x'))}, nullptr));
  ASSERT_TRUE(both.server.receive(take(both.client)));
  both.server.respond(*both.server.find(1), both.head);
  EXPECT_EQ(both.server.streams(), 0U);
  both.run();
  EXPECT_EQ(both.client_log.seen[1], "fields:1! closed:NO_ERROR");
  EXPECT_EQ(both.client.streams(), 0U);
}

// grpc-go does so: streams that are open get the difference, below 0 where need be.
TEST(Http2Session, RebasesTheWindowsOfOpenStreams) {
  Log log;
  Session client({.role = Role::Client}, log);
  ASSERT_TRUE(
      client.receive(frame(Type::Settings, 0, 0, setting(Setting::InitialWindowSize, 100))));
  HeaderBlock request{{{":method", "POST"}, {":scheme", "http"}, {":path", "/a"}}};
  client.open(request, {"", Bytes::take(std::string(300, 'x'))}, nullptr);
  const auto sent = [&] {
    size_t bytes = 0;
    for (const auto& [head, payload] : frames_of(take(client))) {
      if (head.type == Type::Data) bytes += payload.size();
    }
    return bytes;
  };
  EXPECT_EQ(sent(), 100U);
  client.receive(frame(Type::Settings, 0, 0, setting(Setting::InitialWindowSize, 40)));
  client.receive(frame(Type::WindowUpdate, 0, 1, uint32(50)));
  EXPECT_EQ(sent(), 0U);  // 60 below 0, and 50 more
  client.receive(frame(Type::WindowUpdate, 0, 1, uint32(20)));
  EXPECT_EQ(sent(), 10U);
  client.receive(frame(Type::Settings, 0, 0, setting(Setting::InitialWindowSize, 1000)));
  EXPECT_EQ(sent(), 190U);
  EXPECT_TRUE(client.receive(frame(Type::Settings, 0, 0, setting(Setting::MaxFrameSize, 16384))));
  EXPECT_FALSE(client.receive(frame(Type::WindowUpdate, 0, 0, uint32(0x7fffffff))));
}

TEST(Http2Session, ClosesWhatAFarewellLeavesOut) {
  Both both;
  both.run();
  for (int i = 0; i < 3; ++i) both.client.open(both.request, {}, nullptr);
  take(both.client);
  ASSERT_TRUE(both.client.receive(frame(Type::Goaway, 0, 0, uint32(3) + uint32(0))));
  EXPECT_EQ(both.client_log.seen[5], "closed:REFUSED_STREAM");
  EXPECT_EQ(both.client.streams(), 2U);
  EXPECT_TRUE(both.client.closing());
  EXPECT_FALSE(both.client.finished());
  EXPECT_FALSE(both.client.open(both.request, {}, nullptr));
  both.client.receive(frame(Type::Reset, 0, 1, uint32(8)) + frame(Type::Reset, 0, 3, uint32(8)));
  EXPECT_TRUE(both.client.finished());
}

TEST(Http2Session, TakesAnEmptyFrameOnce) {
  Server server;
  const auto greeting = server.tell(std::string(kPreface) + frame(Type::Settings, 0, 0, ""));
  EXPECT_EQ(std::ranges::count_if(greeting,
                                  [](const SeenFrame& f) {
                                    return f.head.type == Type::Settings && f.head.has(kAck);
                                  }),
            1);
  server.tell(frame(Type::Headers, kEndStream, 1, request_fields()) +
              frame(Type::Continuation, kEndHeaders, 1, ""));
  EXPECT_EQ(server.session.error(), "");
  EXPECT_EQ(server.log.seen[1], "fields:4! ");
}

TEST(Http2Session, CutsHeadersToTheFramesThatThePeerTakes) {
  Both both;
  const std::string large(40'000, 'x');
  both.request.fields.push_back({"baggage", large});
  HeaderBlock head{{{":status", "200"}, {"grpc-message", large}}};
  both.server_log.whole = [&](Stream& stream) { both.server.respond(stream, head); };
  const Stream* const stream = both.client.open(both.request, {"body", {}}, nullptr);
  ASSERT_NE(stream, nullptr);
  for (Session* const end : {&both.client, &both.server}) {
    std::string bytes = take(*end);
    if (end == &both.client) bytes = bytes.substr(kPreface.size());
    std::vector<SeenFrame> frames = frames_of(bytes);
    EXPECT_EQ(std::ranges::count(frames, Type::Continuation,
                                 [](const SeenFrame& f) { return f.head.type; }),
              2);
    for (const SeenFrame& f : frames) EXPECT_LE(f.payload.size(), kDefaultMaxFrame);
    if (end == &both.client) bytes.insert(0, kPreface);
    EXPECT_TRUE((end == &both.client ? both.server : both.client).receive(bytes));
  }
  both.run();
  EXPECT_EQ(both.client_log.seen[1], "fields:2! closed:NO_ERROR");
}

TEST(Http2Session, TakesNoNewStreamsAfterItsOwnFarewell) {
  Server server;
  server.greet();
  const std::string head = request_fields();
  server.tell(frame(Type::Headers, kEndHeaders, 1, head));
  server.session.goaway(Code::NoError);
  const auto said = server.tell(frame(Type::Headers, kEndHeaders, 3, head) +
                                frame(Type::Data, kEndStream, 3, "late") +
                                frame(Type::Data, kEndStream, 1, "in time"));
  EXPECT_EQ(code_of(said, Type::Goaway), Code::NoError);
  EXPECT_TRUE(server.session.error().empty()) << server.session.error();
  EXPECT_EQ(server.log.seen.count(3), 0U);
  EXPECT_EQ(server.log.body[1], "in time");
}

TEST(Http2Session, TakesWhatIsOnItsWayAfterANotice) {
  Server server;
  server.greet();
  server.session.notice();
  const auto said = server.tell(frame(Type::Headers, kEndHeaders, 1, request_fields()));
  ASSERT_EQ(said.front().head.type, Type::Goaway);
  EXPECT_EQ(read_uint32(said.front().payload.data()), kMaxStream);
  EXPECT_EQ(server.session.streams(), 1U);
  EXPECT_FALSE(server.session.finished());
  server.session.goaway(Code::EnhanceYourCalm, "enough");
  EXPECT_EQ(frames_of(take(server.session)).front().payload, uint32(1) + uint32(11) + "enough");
}

}  // namespace
}  // namespace sonde::net::http2
