// SPDX-License-Identifier: Apache-2.0
// Every trap of captured HTTP/1 streams, driven without sockets.
#include "probe/protocol/http1/connection.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace sonde::probe::http1 {
namespace {

struct Seen final : ExchangeListener {
  void on_request(uint64_t, const RequestHead& head) override {
    log.push_back(std::string(head.operation) + " " + std::string(head.target) +
                  (head.target_cut ? " cut" : "") + (head.received ? "" : " sent"));
    first = head.first;
    host = head.host;
    ++requests;
  }
  void on_response(uint64_t serial, const ResponseHead& head) override {
    log.push_back(std::to_string(serial) + "=" + std::to_string(head.status));
  }
  void on_finish(uint64_t serial, const Finish& finish) override {
    log.push_back("end" + std::to_string(serial) +
                  (finish.ending == Ending::Complete     ? ""
                   : finish.ending == Ending::Unanswered ? " unanswered"
                                                         : " lost"));
    last = finish;
    ++finished;
  }
  std::vector<std::string> log;
  std::string host;
  Stamp first;
  Finish last;
  int requests = 0;
  int finished = 0;
};

class Http1 : public testing::Test {
 protected:
  void move(bool received, std::string_view bytes, uint64_t length = 0, uint64_t lost = 0,
            bool gap = false) {
    Fragment f;
    f.received = received;
    f.bytes = bytes;
    f.length = length == 0 ? bytes.size() : length;
    f.lost_before = lost;
    f.gap_before = gap;
    f.stamp.time_ns = now += 1000;
    f.stamp.seq = received ? in_seq : out_seq;
    (received ? in_seq : out_seq) += static_cast<uint32_t>(f.length);
    connection.feed(f, seen);
  }
  void in(std::string_view bytes, uint64_t length = 0) { move(true, bytes, length); }
  void out(std::string_view bytes, uint64_t length = 0) { move(false, bytes, length); }

  Connection connection;
  Seen seen;
  int64_t now = 0;
  uint32_t in_seq = 100;
  uint32_t out_seq = 5000;
  using Log = std::vector<std::string>;
};

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

TEST_F(Http1, PairsOneRequestWithOneResponse) {
  in("GET /a?b=c HTTP/1.1\r\nHost: shop:80\r\n\r\n");
  out(kOk);
  EXPECT_EQ(seen.log, (Log{"GET /a?b=c", "1=200", "end1"}));
  EXPECT_EQ(seen.host, "shop:80");
  EXPECT_EQ(seen.last.response_body, 2U);
}

TEST_F(Http1, JoinsAFirstByteThatWasReadAlone) {
  in("G");
  in("ET / HTTP/1.1\r\n\r\n");
  out(kOk);
  EXPECT_EQ(seen.log, (Log{"GET /", "1=200", "end1"}));
  EXPECT_EQ(seen.first.seq, 100U);
  EXPECT_EQ(seen.first.time_ns, 1000);
}

TEST_F(Http1, JoinsARequestSplitIntoSingleBytes) {
  for (const char c : std::string_view("GET /split HTTP/1.1\r\nA: b\r\n\r\n"))
    in(std::string(1, c));
  for (const char c : kOk) out(std::string(1, c));
  EXPECT_EQ(seen.log, (Log{"GET /split", "1=200", "end1"}));
}

TEST_F(Http1, CountsTenPipelinedRequests) {
  std::string many;
  std::string answers;
  for (int i = 0; i < 10; ++i) {
    many += "GET /" + std::to_string(i) + " HTTP/1.1\r\n\r\n";
    answers += kOk;
  }
  in(many);
  EXPECT_EQ(seen.requests, 10);
  out(answers);
  EXPECT_EQ(seen.finished, 10);
  EXPECT_EQ(seen.log.back(), "end10");
}

TEST_F(Http1, SkipsContinueInTwoTurns) {
  in("POST /u HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  out("HTTP/1.1 100 Continue\r\n\r\n");
  in("body");
  out(kOk);
  in("GET /next HTTP/1.1\r\n\r\n");
  EXPECT_EQ(seen.log, (Log{"POST /u", "1=200", "end1", "GET /next"}));
  EXPECT_EQ(seen.last.request_body, 4U);
}

TEST_F(Http1, SkipsContinueInOneTurnAndABodyThatNeverCame) {
  in("POST /u HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  out(kOk);
  in("GET /next HTTP/1.1\r\n\r\n");
  out(std::string("HTTP/1.1 100 Continue\r\n\r\n") + std::string(kOk));
  EXPECT_EQ(seen.log, (Log{"POST /u", "1=200", "end1", "GET /next", "2=200", "end2"}));
}

TEST_F(Http1, StopsAtAnUpgrade) {
  in("GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n");
  out("HTTP/1.1 101 Switching Protocols\r\n\r\n");
  in("GET /not HTTP/1.1\r\n\r\n");
  EXPECT_EQ(seen.log, (Log{"GET /ws", "1=101", "end1"}));
  EXPECT_TRUE(connection.done());
}

TEST_F(Http1, StopsAtAnEstablishedTunnel) {
  in("CONNECT host:443 HTTP/1.1\r\n\r\n");
  out("HTTP/1.1 200 Established\r\n\r\n");
  in("GET /not HTTP/1.1\r\n\r\n");
  EXPECT_EQ(seen.requests, 1);
  EXPECT_TRUE(connection.done());
}

TEST_F(Http1, FollowsChunksBothWays) {
  in("POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
     "1e\r\nGET /not/a/request HTTP/1.1\r\n\r\n\r\n0\r\n\r\n");
  out("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  out("5;x=y\r\nhello\r\n");
  out("0\r\nT: v\r\n\r\n");
  in("GET /next HTTP/1.1\r\n\r\n");
  EXPECT_EQ(seen.log, (Log{"POST /c", "1=200", "end1", "GET /next"}));
  EXPECT_EQ(seen.last.request_body, 30U);
  EXPECT_EQ(seen.last.response_body, 5U);
}

TEST_F(Http1, StepsOverBodiesThatWereNotCaptured) {
  in("POST /up HTTP/1.1\r\nContent-Length: 100000\r\n\r\nabc", 1024);
  in("", 100000 + 46 - 1024 - 3 + 3);
  out("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
  out("", 1000);
  EXPECT_EQ(seen.finished, 1);
  in("GET /2 HTTP/1.1\r\n\r\n");
  EXPECT_EQ(seen.requests, 2);
}

TEST_F(Http1, StaysInABodyThatIsReadAfterTheResponse) {
  in("POST /up HTTP/1.1\r\nContent-Length: 100000\r\n\r\n", 1024);
  out(kOk);
  in("\nGET /inside HTTP/1.1\r\nHost: x\r\n\r\n", 60000);
  in("GET /inside HTTP/1.1\r\nHost: x\r\n\r\n", 39021);
  in("GET /next HTTP/1.1\r\n\r\n");
  EXPECT_EQ(seen.log, (Log{"POST /up", "1=200", "end1", "GET /next"}));
}

TEST_F(Http1, CallsAnAbortedRequestUnanswered) {
  in("GET /slow HTTP/1.1\r\n\r\n");
  connection.close(9000, seen);
  EXPECT_EQ(seen.log, (Log{"GET /slow", "end1 unanswered"}));
  EXPECT_EQ(seen.last.last.time_ns, 9000);
}

TEST_F(Http1, CountsNoGarbageAndCountsWhatFollows) {
  in("\x16\x03\x01garbage\r\n\r\n");
  out("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
  in("GET the door\r\n");
  out("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
  in("GE\x01T / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(seen.requests, 0);
  in("\r\nGET /fine HTTP/1.0\r\n\r\n");
  EXPECT_EQ(seen.requests, 0) << "garbage and a request in one turn stay garbage";
  out("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
  in("\r\nGET /fine HTTP/1.0\r\n\r\n");
  out(kOk);
  EXPECT_EQ(seen.log, (Log{"GET /fine", "1=200", "end1"}));
}

TEST_F(Http1, KnowsThatHeadHasNoBody) {
  in("HEAD / HTTP/1.1\r\n\r\n");
  out("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
  EXPECT_EQ(seen.last.response_body, 0U);
  in("GET /304 HTTP/1.1\r\n\r\n");
  out("HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n");
  EXPECT_EQ(seen.last.response_body, 0U);
  in("GET /204 HTTP/1.1\r\n\r\n");
  out("HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(seen.log, (Log{"HEAD /", "1=200", "end1", "GET /304", "2=304", "end2", "GET /204",
                           "3=204", "end3"}));
}

TEST_F(Http1, BeginsMidStreamWithoutCountingTheOrphan) {
  out("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
  out("llo");
  in("GET /first HTTP/1.1\r\n\r\n");
  out(kOk);
  EXPECT_EQ(seen.log, (Log{"GET /first", "1=200", "end1"}));
}

TEST_F(Http1, BeginsInTheMiddleOfABody) {
  move(true, "GET nothing ", 0, 0, true);
  in("more of it");
  out(kOk);
  in("GET /first HTTP/1.1\r\n\r\n");
  out(kOk);
  EXPECT_EQ(seen.log, (Log{"GET /first", "1=200", "end1"}));
}

TEST_F(Http1, CountsARequestLineLongerThanTheCapture) {
  in("GET /" + std::string(1000, 'x'), 9000);
  out("HTTP/1.1 414 Too Long\r\nContent-Length: 0\r\n\r\n");
  in("GET /next HTTP/1.1\r\n\r\n");
  out(kOk);
  ASSERT_EQ(seen.log.size(), 6U);
  EXPECT_TRUE(seen.log[0].ends_with(" cut"));
  EXPECT_EQ(seen.log[1], "1=414");
  EXPECT_EQ(seen.log[4], "2=200");
}

TEST_F(Http1, CountsAHugeHeaderThatIsRefused) {
  in("GET /big HTTP/1.1\r\nX-Big: xxxxxxxx", 65536);
  in("", 65536);
  out("HTTP/1.1 431 Too Large\r\nConnection: close\r\n\r\n");
  connection.close(9000, seen);
  EXPECT_EQ(seen.log, (Log{"GET /big", "1=431", "end1"}));
}

TEST_F(Http1, EndsAResponseOfUnknownLengthBySilence) {
  in("GET / HTTP/1.1\r\n\r\n");
  out("HTTP/1.1 200 OK\r\nX: y", 30000);
  connection.tick(now + kSilenceNs - 1, seen);
  EXPECT_EQ(seen.finished, 0);
  connection.tick(now + kSilenceNs, seen);
  EXPECT_EQ(seen.log, (Log{"GET /", "1=200", "end1"}));
  in("GET /2 HTTP/1.1\r\n\r\n");
  out(kOk);
  EXPECT_EQ(seen.finished, 2);
}

TEST_F(Http1, EndsAResponseOfUnknownLengthByTheNextRequest) {
  in("GET / HTTP/1.1\r\n\r\n");
  out("HTTP/1.1 200 OK\r\nX: y", 30000);
  in("GET /2 HTTP/1.1\r\n\r\n");
  out(kOk);
  EXPECT_EQ(seen.log, (Log{"GET /", "1=200", "end1", "GET /2", "2=200", "end2"}));
}

TEST_F(Http1, EndsAResponseWithoutLengthByClose) {
  in("GET / HTTP/1.0\r\n\r\n");
  out("HTTP/1.0 200 OK\r\n\r\n");
  out("body");
  connection.tick(now + 10 * kSilenceNs, seen);
  EXPECT_EQ(seen.finished, 0);
  connection.close(99999, seen);
  EXPECT_EQ(seen.last.ending, Ending::Complete);
  EXPECT_EQ(seen.last.response_body, 4U);
  EXPECT_EQ(seen.last.last.time_ns, now);
}

TEST_F(Http1, ResynchronisesAfterAHole) {
  in("GET /1 HTTP/1.1\r\n\r\n");
  move(false, "tail of something", 0, 500);
  in("GET /2 HTTP/1.1\r\n\r\n");
  out(kOk);
  EXPECT_EQ(seen.log, (Log{"GET /1", "end1 lost", "GET /2", "2=200", "end2"}));
}

TEST_F(Http1, SeesTheClientEnd) {
  out("GET /x HTTP/1.1\r\n\r\n");
  in(kOk);
  EXPECT_EQ(seen.log, (Log{"GET /x sent", "1=200", "end1"}));
}

TEST_F(Http1, BoundsWhatIsPendingAndShiftsNoAnswer) {
  constexpr size_t kMore = 44;
  for (size_t i = 1; i <= kMaxPending + kMore; ++i)
    in(std::string(i == 2 ? "HEAD" : "GET") + " / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(seen.finished, static_cast<int>(kMore));
  seen.log.clear();
  for (size_t i = 1; i <= kMaxPending + kMore; ++i) {
    const std::string status = std::to_string(200 + i);
    out("HTTP/1.1 " + status + " X\r\nContent-Length: " + (i == 2 ? "5\r\n\r\n" : "0\r\n\r\n"));
    if (i > kMore) {
      ASSERT_EQ(seen.log.at(seen.log.size() - 2), std::to_string(i) + "=" + status);
    }
  }
  EXPECT_EQ(seen.log.size(), 2 * kMaxPending);
  in("GET / HTTP/1.1\r\n\r\n");
  out(kOk);
  EXPECT_EQ(seen.log.back(), "end301");
}

TEST_F(Http1, BoundsTheAnswersThatItStepsOver) {
  for (size_t i = 0; i <= kMaxPending + kMaxSkipped; ++i) in("GET / HTTP/1.1\r\n\r\n");
  out(kOk);
  in("GET /after HTTP/1.1\r\n\r\n");
  out(kOk);
  EXPECT_EQ(seen.finished, seen.requests);
  EXPECT_EQ(seen.log.back(), "end" + std::to_string(seen.requests));
}

TEST_F(Http1, CountsTheBytesOfBodiesAndNotTheirClaims) {
  in("POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 9223372036854775807\r\n\r\n");
  out("HTTP/1.1 413 X\r\nContent-Length: 2\r\n\r\nno");
  EXPECT_EQ(seen.last.request_body, 0U);
  EXPECT_EQ(seen.last.response_body, 2U);
  in("POST /b HTTP/1.1\r\nContent-Length: 1000\r\n\r\n12345", 51);
  out("HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n", 542);
  connection.close(now, seen);
  EXPECT_EQ(seen.last.request_body, 9U);
  EXPECT_EQ(seen.last.response_body, 500U);
}

TEST_F(Http1, TakesTheClaimOfACutHeadUpToTheBytesThatFollowed) {
  in("GET /big HTTP/1.1\r\n\r\n");
  out("HTTP/1.1 200 OK\r\nContent-Length: 20000\r\nX: y", 1024);
  out("", 20000);
  in("GET /claim HTTP/1.1\r\n\r\n");
  EXPECT_EQ(seen.last.response_body, 20000U);
  out("HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\nX: y", 1024);
  in("GET /next HTTP/1.1\r\n\r\n");
  EXPECT_LE(seen.last.response_body, 1024U);
}

TEST(Http1Lines, AreValidatedStrictly) {
  RequestLine line;
  EXPECT_TRUE(parse_request_line("GET / HTTP/1.1", line));
  EXPECT_TRUE(parse_request_line("OPTIONS * HTTP/1.0", line));
  EXPECT_TRUE(parse_request_line("GET http://a/b HTTP/1.1", line));
  for (const char* bad : {"GET  / HTTP/1.1", "GET / HTTP/1.2", "GET / HTTP/2.0", "get / HTTP/1.1",
                          "GET x HTTP/1.1", "GET /", "GET / HTTP/1.1 ", " / HTTP/1.1", ""}) {
    EXPECT_FALSE(parse_request_line(bad, line)) << bad;
  }
  EXPECT_EQ(parse_status_line("HTTP/1.1 200"), 200);
  EXPECT_EQ(parse_status_line("HTTP/1.1 999 x"), 0);
  EXPECT_EQ(parse_status_line("HTTP/1.1 20 OKAY"), 0);
}

// One thread writes and another reads: the write has ended only after the answer was read.
TEST_F(Http1, PairsAnAnswerThatIsToldBeforeItsRequest) {
  in(kOk);
  EXPECT_EQ(seen.log, Log{});
  out("GET /1 HTTP/1.1\r\n\r\n");
  out("GET /2 HTTP/1.1\r\n\r\n");
  in(kOk);
  in("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n");
  in("no");
  out("GET /3 HTTP/1.1\r\n\r\n");
  EXPECT_EQ(seen.log, (Log{"GET /1 sent", "1=200", "end1", "GET /2 sent", "2=200", "end2",
                           "GET /3 sent", "3=404", "end3"}));
}

TEST_F(Http1, GivesNoRequestTheAnswerOfAnotherThatWasLost) {
  out("GET /1 HTTP/1.1\r\n\r\n");
  in(kOk);
  in("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  move(false, "GET /3 HTTP/1.1\r\n\r\n", 0, 20);
  in(kOk);
  EXPECT_EQ(seen.log, (Log{"GET /1 sent", "1=200", "end1", "GET /3 sent", "2=200", "end2"}));
}

TEST_F(Http1, HoldsNoMoreThanItsBoundOfAnswersWithoutRequest) {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n";
  out("GET /1 HTTP/1.1\r\n\r\n");
  in(kOk);
  in(head);
  for (size_t i = 0; i < kMaxHeldFragments; ++i) in("", 1000);
  out("GET /2 HTTP/1.1\r\n\r\n");
  in(kOk);
  connection.close(now, seen);
  EXPECT_EQ(seen.requests, 2);
  EXPECT_EQ(seen.finished, 2);
  EXPECT_EQ(std::count(seen.log.begin(), seen.log.end(), "2=200"), 1);
}

TEST_F(Http1, AnAnswerToNothingIsNoRequest) {
  out("GET /1 HTTP/1.1\r\n\r\n");
  in(kOk);
  in("HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n");
  connection.close(now, seen);
  EXPECT_EQ(seen.log, (Log{"GET /1 sent", "1=200", "end1"}));
}

}  // namespace
}  // namespace sonde::probe::http1
