// SPDX-License-Identifier: Apache-2.0
// Runs the real programs over connections that both ends of this process hold, so that the test
// knows when each byte moved and by which system call. Needs root; without it every test is
// skipped.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ctime>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "probe/probe.h"
#include "probe/protocol/http1/methods.h"
#include "probe/testing/config.h"
#include "probe/testing/loopback.h"

namespace sonde::probe {
namespace {

using testing::Pair;
using testing::receive_all;
using testing::send_all;

constexpr std::string_view kRequest = "GET /item/1 HTTP/1.1\r\nHost: test\r\n\r\n";
constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

uint64_t monotonic_ns() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(t.tv_nsec);
}

uint64_t tick_ns() {
  timespec t{};
  clock_getres(CLOCK_MONOTONIC_COARSE, &t);
  return static_cast<uint64_t>(t.tv_nsec);
}

// Real time must pass here: what is tested is how the kernel's clock is read.
void pass_ms(int ms) { poll(nullptr, 0, ms); }

class ProbeBpfMessages : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    auto made = Probe::create(testing::config());
    ASSERT_TRUE(made) << made.error().message;
    probe_ = std::move(*made);
    auto attached = probe_->attach();
    ASSERT_TRUE(attached) << attached.error().message;
  }
  // The messages of this process; `accepted` picks the end.
  std::vector<sonde_event> messages(bool accepted, uint8_t type) {
    std::vector<sonde_event> out;
    while (probe_->drain([&](const sonde_event& e, std::string_view) {
      if (e.tgid == static_cast<uint32_t>(getpid()) && e.type == type &&
          ((e.flags & SONDE_ACCEPTED) != 0) == accepted)
        out.push_back(e);
    }) > 0) {
    }
    return out;
  }
  // Reads one request that was written between `wrote` and `written`, and checks what the event
  // says of its arrival: never earlier than it was, and at most so much too late.
  void expect_arrival(int fd, uint64_t wrote, uint64_t written, uint64_t too_late_ns) {
    messages(true, SONDE_RECEIVE);
    const uint64_t before = monotonic_ns();
    receive_all(fd, kRequest.size());
    const uint64_t after = monotonic_ns();
    const auto seen = messages(true, SONDE_RECEIVE);
    ASSERT_FALSE(seen.empty());
    const sonde_event& e = seen.back();
    EXPECT_GE(e.time_ns + tick_ns(), before);
    EXPECT_LE(e.time_ns, after);
    EXPECT_LE(e.arrived_ns, e.time_ns);
    // Jiffies may be counted late where the machine is busy.
    EXPECT_GE(e.arrived_ns + tick_ns(), wrote);
    EXPECT_LE(e.arrived_ns, written + too_late_ns);
  }
  std::unique_ptr<Probe> probe_;
};

TEST_F(ProbeBpfMessages, KnowsWhenTheFirstRequestOfAConnectionArrived) {
  for (const int wait : {0, 5, 100}) {
    SCOPED_TRACE(wait);
    Pair pair;
    const uint64_t wrote = monotonic_ns();
    send_all(pair.client, kRequest);
    const uint64_t written = monotonic_ns();
    pass_ms(wait);
    pair.accept_now();
    expect_arrival(pair.server, wrote, written, 4 * tick_ns());
  }
}

TEST_F(ProbeBpfMessages, KnowsWhenRequestsOfABusyConnectionArrived) {
  Pair pair;
  pair.accept_now();
  uint64_t error = 0, exact = 0;
  for (int i = 0; i < 60; i++) {
    const int wait = i % 3 * 7;
    SCOPED_TRACE(i);
    const uint64_t wrote = monotonic_ns();
    send_all(pair.client, kRequest);
    const uint64_t written = monotonic_ns();
    pass_ms(wait);
    messages(true, SONDE_RECEIVE);
    receive_all(pair.server, kRequest.size());
    const auto seen = messages(true, SONDE_RECEIVE);
    ASSERT_EQ(seen.size(), 1u);
    EXPECT_LE(seen[0].arrived_ns, seen[0].time_ns);
    EXPECT_GE(seen[0].arrived_ns + tick_ns(), wrote);
    EXPECT_LE(seen[0].arrived_ns, written + 4 * tick_ns());
    exact += seen[0].arrived_ns >= wrote && seen[0].arrived_ns <= written;
    error += seen[0].arrived_ns > written ? seen[0].arrived_ns - written : 0;
    send_all(pair.server, kAnswer);
    receive_all(pair.client, kAnswer.size());
  }
  // The client's requests acknowledge the answers, and that is when TCP notes the time.
  EXPECT_GE(exact, 30u) << "mean error " << error / 60;
}

TEST_F(ProbeBpfMessages, KnowsWhenARequestAfterALongPauseArrived) {
  Pair pair;
  pair.accept_now();
  for (const int wait : {5, 100, 1000}) {
    SCOPED_TRACE(wait);
    // Long enough for the delayed acknowledgement of the answer before.
    pass_ms(100);
    const uint64_t wrote = monotonic_ns();
    send_all(pair.client, kRequest);
    const uint64_t written = monotonic_ns();
    pass_ms(wait);
    expect_arrival(pair.server, wrote, written, 4 * tick_ns());
    send_all(pair.server, kAnswer);
    receive_all(pair.client, kAnswer.size());
  }
}

TEST_F(ProbeBpfMessages, AThreadThatWaitsForARequestQueuesNoLongerThanTheRequestIsOld) {
  Pair pair;
  pair.accept_now();
  std::thread server([&] {
    for (int i = 0; i < 5; i++) {
      receive_all(pair.server, kRequest.size());
      send_all(pair.server, kAnswer);
    }
  });
  std::vector<uint64_t> wrote;
  for (int i = 0; i < 5; i++) {
    pass_ms(60);
    wrote.push_back(monotonic_ns());
    send_all(pair.client, kRequest);
    receive_all(pair.client, kAnswer.size());
  }
  server.join();
  const auto seen = messages(true, SONDE_RECEIVE);
  // A function exit misses the receive that was blocked when it was attached.
  ASSERT_GE(seen.size(), 4u);
  for (size_t i = 1; i <= seen.size(); i++)
    EXPECT_GE(seen[seen.size() - i].arrived_ns + tick_ns(), wrote[wrote.size() - i]);
}

TEST_F(ProbeBpfMessages, ABodyInSegmentsCountsFromItsNewestData) {
  Pair pair;
  pair.accept_now();
  uint64_t first = 0, last = 0;
  for (const std::string_view part :
       {kRequest.substr(0, 10), kRequest.substr(10, 10), kRequest.substr(20)}) {
    const uint64_t now = monotonic_ns();
    if (first == 0) first = now;
    send_all(pair.client, part);
    last = monotonic_ns();
    pass_ms(15);
  }
  expect_arrival(pair.server, first, last, 4 * tick_ns());
}

// Sends the last bytes and the end of the stream, and waits until both are there to be read.
void send_last(int from, int to, std::string_view bytes) {
  send_all(from, bytes);
  ASSERT_EQ(shutdown(from, SHUT_WR), 0);
  pollfd end{to, POLLRDHUP, 0};
  ASSERT_EQ(poll(&end, 1, 5000), 1);
}

TEST_F(ProbeBpfMessages, TheEndOfTheStreamIsNoByteOfTheMessageThatMeetsIt) {
  Pair pair;
  pair.accept_now();
  send_last(pair.client, pair.server, kRequest);
  receive_all(pair.server, kRequest.size());

  std::vector<sonde_event> ends;
  probe_->drain([&](const sonde_event& e, std::string_view) {
    if (e.tgid == static_cast<uint32_t>(getpid()) && e.length == kRequest.size()) ends.push_back(e);
  });
  ASSERT_EQ(ends.size(), 2U);
  EXPECT_EQ(ends[0].seq, ends[1].seq);
  EXPECT_EQ(ends[1].stream_offset, 0U);
}

TEST_F(ProbeBpfMessages, WhatSpliceTookIsCountedExactlyWhereTheStreamEnds) {
  constexpr size_t kBody = 1000;
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";
  Pair pair;
  pair.accept_now();
  send_all(pair.client, kRequest);
  receive_all(pair.server, kRequest.size());
  send_all(pair.server, head);
  receive_all(pair.client, head.size());
  send_all(pair.server, std::string(kBody, 'b'));
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  for (size_t moved = 0; moved < kBody;) {
    const ssize_t n = splice(pair.client, nullptr, pipe_ends[1], nullptr, kBody - moved, 0);
    ASSERT_GT(n, 0);
    moved += static_cast<size_t>(n);
  }
  close(pipe_ends[0]);
  close(pipe_ends[1]);
  send_last(pair.server, pair.client, kAnswer);
  receive_all(pair.client, kAnswer.size());

  const auto received = messages(false, SONDE_RECEIVE);
  ASSERT_EQ(received.size(), 2U);
  EXPECT_EQ(received[1].stream_offset, head.size() + kBody);
}

TEST_F(ProbeBpfMessages, ASocketInThePlaceOfAnotherBeginsAnew) {
  if (probe_->front_end() == FrontEnd::Fexit) GTEST_SKIP() << "sees no unix sockets";
  constexpr size_t kSockets = 100;
  for (size_t i = 0; i < kSockets; i++) {
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    send_all(ends[0], kRequest);
    receive_all(ends[1], kRequest.size());
    send_all(ends[1], kAnswer);
    receive_all(ends[0], kAnswer.size());
    close(ends[0]);
    close(ends[1]);
  }

  std::set<uint64_t> cookies;
  for (const sonde_event& e : messages(false, SONDE_RECEIVE)) {
    cookies.insert(e.cookie);
    EXPECT_EQ(e.stream_offset, 0U);
    EXPECT_EQ(e.captured, e.length);
  }
  EXPECT_EQ(cookies.size(), 2 * kSockets);
}

TEST_F(ProbeBpfMessages, EveryKnownMethodBeginsARequest) {
#define SONDE_HTTP1_GROUP(letter, methods) methods
#define SONDE_HTTP1_METHOD(text) text,
  for (const std::string method : {SONDE_HTTP1_METHODS(SONDE_HTTP1_GROUP, SONDE_HTTP1_METHOD)}) {
#undef SONDE_HTTP1_GROUP
#undef SONDE_HTTP1_METHOD
    SCOPED_TRACE(method);
    const std::string request = method + " /m HTTP/1.1\r\n\r\n";
    Pair pair;
    pair.accept_now();
    send_all(pair.client, request);
    receive_all(pair.server, request.size());
    const auto received = messages(true, SONDE_RECEIVE);
    ASSERT_EQ(received.size(), 1U);
    EXPECT_EQ(received[0].length, request.size());
  }
  // One byte first, as Go and PHP read it; and what only looks like a method.
  Pair pair;
  pair.accept_now();
  char byte = 0;
  send_all(pair.client, "PROPFIND /m HTTP/1.1\r\n\r\n");
  EXPECT_EQ(recv(pair.server, &byte, 1, 0), 1);
  receive_all(pair.server, 23);
  EXPECT_EQ(messages(true, SONDE_RECEIVE).size(), 2U);
  Pair other;
  other.accept_now();
  send_all(other.client, "PROPOSE /m HTTP/1.1\r\n\r\n");
  receive_all(other.server, 23);
  EXPECT_TRUE(messages(true, SONDE_RECEIVE).empty());
}

TEST_F(ProbeBpfMessages, TellsOfTheEndOfBothUnixSocketsByTheOneThatMeetsIt) {
  if (probe_->front_end() == FrontEnd::Fexit) GTEST_SKIP() << "sees no unix sockets";
  const auto closed = [this] {
    std::vector<uint64_t> cookies;
    while (probe_->drain([&](const sonde_event& e, std::string_view) {
      if (e.type == SONDE_CLOSE && e.family == SONDE_FAMILY_UNIX) cookies.push_back(e.cookie);
    }) > 0) {
    }
    return cookies;
  };
  char byte = 0;
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  send_all(ends[0], kRequest);
  // The end of one way is none yet.
  shutdown(ends[0], SHUT_WR);
  receive_all(ends[1], kRequest.size());
  EXPECT_EQ(recv(ends[1], &byte, 1, 0), 0);
  send_all(ends[1], kAnswer);
  EXPECT_TRUE(closed().empty());
  close(ends[1]);
  // Nor is that of both while an answer waits.
  EXPECT_EQ(send(ends[0], "x", 1, MSG_NOSIGNAL), -1);
  EXPECT_TRUE(closed().empty());
  receive_all(ends[0], kAnswer.size());
  EXPECT_EQ(recv(ends[0], &byte, 1, 0), 0);
  const std::vector<uint64_t> cookies = closed();
  EXPECT_EQ(std::set<uint64_t>(cookies.begin(), cookies.end()).size(), 2U);
  EXPECT_EQ(cookies.size(), 2U);
  EXPECT_EQ(recv(ends[0], &byte, 1, 0), 0);
  EXPECT_TRUE(closed().empty());
  close(ends[0]);

  // A client that goes away without the answer: the server's send meets it.
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  send_all(ends[0], kRequest);
  receive_all(ends[1], kRequest.size());
  close(ends[0]);
  EXPECT_EQ(send(ends[1], kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL), -1);
  EXPECT_EQ(closed().size(), 2U);
  close(ends[1]);
}

// Where one thread writes and another reads, the answer may be told before the request that it
// answers. A process that nobody watches writes here, so that its send is never told.
TEST_F(ProbeBpfMessages, AReceiveThatOvertakesASendBeginsATurn) {
  const std::string long_answer =
      "HTTP/1.1 200 OK\r\nContent-Length: 8000\r\n\r\n" + std::string(8000, 'b');
  Pair pair;
  pair.accept_now();
  send_all(pair.client, kRequest);
  receive_all(pair.server, kRequest.size());
  send_all(pair.server, long_answer);
  receive_all(pair.client, long_answer.size());
  int go[2];
  ASSERT_EQ(pipe(go), 0);
  const pid_t writer = fork();
  if (writer == 0) {
    char byte;
    const bool told = read(go[0], &byte, 1) == 1;
    _exit(told && send(pair.client, kRequest.data(), kRequest.size(), 0) > 0 ? 0 : 1);
  }
  probe_->set_excluded(static_cast<uint32_t>(writer), true);
  ASSERT_EQ(write(go[1], "x", 1), 1);
  int status = 1;
  ASSERT_EQ(waitpid(writer, &status, 0), writer);
  ASSERT_EQ(status, 0);
  close(go[0]);
  close(go[1]);
  receive_all(pair.server, kRequest.size());
  send_all(pair.server, kAnswer);
  receive_all(pair.client, kAnswer.size());
  send_all(pair.client, kRequest);

  const auto received = messages(false, SONDE_RECEIVE);
  ASSERT_FALSE(received.empty());
  EXPECT_EQ(received.back().length, kAnswer.size());
  EXPECT_EQ(received.back().captured, kAnswer.size());
  EXPECT_TRUE(received.back().flags & SONDE_TURN_START);
}

TEST(Probe, KnowsItsFrontEndsByName) {
  for (const FrontEnd f : {FrontEnd::SocketLength, FrontEnd::Fexit, FrontEnd::SystemCalls})
    EXPECT_EQ(front_end_of(to_string(f)), f);
  EXPECT_EQ(front_end_of("auto"), FrontEnd::None);
}

}  // namespace
}  // namespace sonde::probe
