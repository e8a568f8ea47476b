// SPDX-License-Identifier: Apache-2.0
// Synthetic kernel events through the whole of user space: timing, joining, parents and limits.
#include "probe/tracker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace sonde::probe {
namespace {

struct Requests final : RequestSink {
  void request(const FinishedRequest& r) override { all.push_back(r); }
  void excluded(uint32_t tgid) override { excluded_tgids.push_back(tgid); }
  std::vector<FinishedRequest> all;
  void executed(uint32_t tgid) override { executed_tgids.push_back(tgid); }
  std::vector<uint32_t> excluded_tgids, executed_tgids;
};

// One end of a connection, which makes the events that the kernel would.
struct End {
  uint64_t cookie;
  uint32_t tgid;
  uint32_t tid;
  uint16_t local;
  uint16_t remote;
  bool blocking = false;
  uint32_t in_seq = 1000;
  uint32_t out_seq = 2000;
  uint64_t offset[2] = {};
};

class TrackerTest : public testing::Test {
 protected:
  explicit TrackerTest() { make({}); }
  void make(TrackerConfig config) {
    config.seed = 7;
    sink = std::make_unique<Requests>();
    tracker = std::make_unique<Tracker>(std::move(config), processes, *sink);
    tracker->set_clock_offset(1'000'000'000'000);
  }
  sonde_event make_event(End& end, uint8_t type, size_t captured, size_t length) {
    sonde_event e{};
    e.cookie = end.cookie;
    e.time_ns = static_cast<uint64_t>(now += 1000);
    e.tgid = end.tgid;
    e.tid = end.tid;
    e.type = type;
    e.length = static_cast<uint32_t>(length);
    e.captured = static_cast<uint16_t>(captured);
    e.family = SONDE_FAMILY_INET;
    e.protocol = protocol_number("http1");
    e.local_port = end.local;
    e.remote_port = end.remote;
    for (uint8_t* a : {e.local_addr, e.remote_addr}) {
      a[10] = a[11] = 0xff;
      a[12] = 127;
      a[15] = 1;
    }
    if (end.blocking) e.flags |= SONDE_SOCKET_BLOCKING;
    const bool in = type == SONDE_RECEIVE;
    e.seq = in ? end.in_seq : end.out_seq;
    (in ? end.in_seq : end.out_seq) += e.length;
    e.stream_offset = end.offset[in];
    end.offset[in] += length;
    return e;
  }
  void in(End& end, std::string_view bytes, size_t length = 0) {
    tracker->event(make_event(end, SONDE_RECEIVE, bytes.size(), length ? length : bytes.size()),
                   bytes);
  }
  void out(End& end, std::string_view bytes, size_t length = 0) {
    tracker->event(make_event(end, SONDE_SEND, bytes.size(), length ? length : bytes.size()),
                   bytes);
  }
  void close(End& end) { tracker->event(make_event(end, SONDE_CLOSE, 0, 0), {}); }
  const std::vector<FinishedRequest>& finished() {
    tracker->tick(now += 200'000'000);
    return sink->all;
  }

  ProcessTable processes{{.proc_root = "/nonexistent", .host = "test"}};
  std::unique_ptr<Requests> sink;
  std::unique_ptr<Tracker> tracker;
  int64_t now = 1'000'000;
};

constexpr std::string_view kGet = "GET /items/7?x=1 HTTP/1.1\r\nHost: shop\r\n\r\n";
constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

TEST_F(TrackerTest, TimesAServerRequest) {
  End s{1, 10, 11, 8080, 40000};
  sonde_event e = make_event(s, SONDE_RECEIVE, kGet.size(), kGet.size());
  e.arrived_ns = e.time_ns - 400;
  tracker->event(e, kGet);
  out(s, kOk);
  const auto& all = finished();
  ASSERT_EQ(all.size(), 1U);
  const FinishedRequest& r = all[0];
  EXPECT_TRUE(r.server);
  EXPECT_EQ(r.operation, "GET");
  EXPECT_EQ(r.target, "/items/7");
  EXPECT_EQ(r.route, "/items/{id}");
  EXPECT_EQ(r.host, "shop");
  EXPECT_EQ(r.status, 200);
  EXPECT_EQ(r.queue_ns, 400);
  EXPECT_EQ(r.end_unix_ns - r.start_unix_ns, 1000);
  EXPECT_EQ(r.start_unix_ns, 1'000'000'000'000 + static_cast<int64_t>(e.time_ns));
  EXPECT_EQ(r.local_port, 8080);
  EXPECT_EQ(r.peer_address, "127.0.0.1");
  EXPECT_EQ(r.response_bytes, 2U);
  EXPECT_FALSE(r.has_parent);
}

TEST_F(TrackerTest, KeepsAFirstByteOfWhichTheProtocolIsNotYetKnown) {
  End s{1, 10, 11, 8080, 40000};
  for (const char c : std::string_view("GET")) {
    sonde_event e = make_event(s, SONDE_RECEIVE, 1, 1);
    e.protocol = 0;
    tracker->event(e, std::string_view(&c, 1));
  }
  const int64_t first = now - 2000;
  in(s, kGet.substr(3));
  out(s, kOk);
  ASSERT_EQ(finished().size(), 1U);
  EXPECT_EQ(sink->all[0].start_unix_ns, 1'000'000'000'000 + first);
}

TEST_F(TrackerTest, JoinsBothEndsOfAConnectionInEitherOrder) {
  for (const bool client_first : {true, false}) {
    sink->all.clear();
    End c{1, 10, 11, 40000, 8080};
    End s{2, 20, 21, 8080, 40000};
    s.in_seq = c.out_seq = client_first ? 777 : 888;
    s.out_seq = c.in_seq;
    if (client_first) {
      out(c, kGet);
      in(s, kGet);
    } else {
      in(s, kGet);
      out(c, kGet);
    }
    out(s, kOk);
    in(c, kOk);
    close(c);
    close(s);
    const auto& all = finished();
    ASSERT_EQ(all.size(), 2U);
    const auto& server = all[0].server ? all[0] : all[1];
    const auto& client = all[0].server ? all[1] : all[0];
    EXPECT_EQ(server.trace_id, client.trace_id);
    EXPECT_EQ(server.parent_span_id, client.span_id);
    EXPECT_TRUE(server.has_parent);
    EXPECT_FALSE(client.has_parent);
    EXPECT_EQ(server.peer_service, "unknown");
  }
}

TEST_F(TrackerTest, JoinsLoopbackAddressesWithinTheirNetworkNamespaceOnly) {
  for (const bool same : {true, false}) {
    sink->all.clear();
    End c{same ? 1U : 3U, 10, 11, 40000, 8080};
    End s{same ? 2U : 4U, 20, 21, 8080, 40000};
    s.in_seq = c.out_seq = same ? 777 : 888;
    sonde_event sent = make_event(c, SONDE_SEND, kGet.size(), kGet.size());
    sonde_event received = make_event(s, SONDE_RECEIVE, kGet.size(), kGet.size());
    sent.netns = 1;
    received.netns = same ? 1 : 2;
    tracker->event(sent, kGet);
    tracker->event(received, kGet);
    out(s, kOk);
    in(c, kOk);
    ASSERT_EQ(finished().size(), 2U);
    EXPECT_EQ(sink->all[0].trace_id == sink->all[1].trace_id, same);
  }
}

// A server that listens on :: sees an IPv4 client by its mapped address, with the other family.
TEST_F(TrackerTest, JoinsAnIpv4ClientWithADualStackServer) {
  End c{1, 10, 11, 40000, 8080};
  End s{2, 20, 21, 8080, 40000};
  s.in_seq = c.out_seq;
  out(c, kGet);
  sonde_event received = make_event(s, SONDE_RECEIVE, kGet.size(), kGet.size());
  received.family = SONDE_FAMILY_INET6;
  tracker->event(received, kGet);
  out(s, kOk);
  in(c, kOk);
  ASSERT_EQ(finished().size(), 2U);
  EXPECT_EQ(sink->all[0].trace_id, sink->all[1].trace_id);
  EXPECT_EQ(sink->all[0].peer_address, "127.0.0.1");
  EXPECT_EQ(sink->all[1].peer_address, "127.0.0.1");
}

TEST_F(TrackerTest, LeavesOutWhatIsSaidToItself) {
  TrackerConfig config;
  config.own_end = OwnEnd([](uint16_t port, uint16_t) { return port == 4400; }, 0,
                          [] { return std::set<AddressBytes>{}; });
  make(std::move(config));
  End browser{1, 10, 11, 40000, 4400};
  for (int i = 0; i < 3; ++i) {
    out(browser, kGet);
    in(browser, kOk);
  }
  End other{2, 10, 11, 40001, 4402};
  out(other, kGet);
  in(other, kOk);
  close(browser);
  ASSERT_EQ(finished().size(), 1U);
  EXPECT_EQ(sink->all[0].peer_port, 4402);
  EXPECT_EQ(tracker->stats().own_connections, 1U);
  EXPECT_EQ(tracker->connections(), 1U);
}

TEST_F(TrackerTest, FindsTheParentOnABlockingThread) {
  End front{1, 20, 21, 8080, 40000, true};
  End back{2, 20, 21, 50000, 9090};
  in(front, kGet);
  out(back, kGet);
  in(back, kOk);
  out(front, kOk);
  out(back, kGet);  // After the response: nobody's child.
  in(back, kOk);
  const auto& all = finished();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_TRUE(all[0].has_parent);
  EXPECT_EQ(all[0].parent_span_id, all[1].span_id);
  EXPECT_EQ(all[0].trace_id, all[1].trace_id);
  EXPECT_FALSE(all[2].has_parent);
  EXPECT_TRUE(all[1].process->trusts_thread);
}

TEST_F(TrackerTest, NeverGuessesAParent) {
  End front{1, 20, 21, 8080, 40000, false};
  End back{2, 20, 21, 50000, 9090};
  in(front, kGet);
  out(back, kGet);
  in(back, kOk);
  out(front, kOk);
  End first{3, 30, 31, 8080, 40001, true};
  End second{4, 30, 31, 8080, 40002, true};
  End call{5, 30, 31, 50001, 9090};
  in(first, kGet);
  in(second, kGet);
  out(call, kGet);
  in(call, kOk);
  for (const FinishedRequest& r : finished()) EXPECT_FALSE(r.has_parent);
  EXPECT_EQ(sink->all.size(), 3U);
}

TEST_F(TrackerTest, CarriesOneTraceAcrossThreeProcesses) {
  End client{1, 10, 11, 40000, 8080};
  End front{2, 20, 21, 8080, 40000, true};
  End call{3, 20, 21, 50000, 9090};
  End back{4, 30, 31, 9090, 50000};
  front.in_seq = client.out_seq = 5;
  back.in_seq = call.out_seq = 6;
  in(front, kGet);  // The event of the client comes late.
  out(call, kGet);
  in(back, kGet);
  out(client, kGet);
  out(back, kOk);
  in(call, kOk);
  out(front, kOk);
  in(client, kOk);
  const auto& all = finished();
  ASSERT_EQ(all.size(), 4U);
  for (const auto& r : all) EXPECT_EQ(r.trace_id, all[0].trace_id);
  int roots = 0;
  for (const auto& r : all) roots += r.has_parent ? 0 : 1;
  EXPECT_EQ(roots, 1);
}

TEST_F(TrackerTest, CallsAnAbortedRequestClosed) {
  End s{1, 10, 11, 8080, 40000};
  in(s, kGet);
  close(s);
  ASSERT_EQ(finished().size(), 1U);
  EXPECT_EQ(sink->all[0].status, 0);
  EXPECT_EQ(sink->all[0].error_type, "connection_closed");
  EXPECT_EQ(tracker->connections(), 0U);
}

TEST_F(TrackerTest, DoesNotBlameAnAbortForAnAnswerThatFoundNoRoom) {
  End s{1, 10, 11, 8080, 40000};
  in(s, kGet);
  sonde_event e = make_event(s, SONDE_CLOSE, 0, 0);
  e.flags |= SONDE_GAP;
  tracker->event(e, {});
  ASSERT_EQ(finished().size(), 1U);
  EXPECT_EQ(sink->all[0].status, 0);
  EXPECT_EQ(sink->all[0].error_type, "");
}

TEST_F(TrackerTest, ReadsErrorsAsTheSideSeesThem) {
  End s{1, 10, 11, 8080, 40000};
  in(s, kGet);
  out(s, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  in(s, kGet);
  out(s, "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
  End c{2, 10, 11, 40000, 8080};
  out(c, kGet);
  in(c, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  finished();
  ASSERT_EQ(sink->all.size(), 3U);
  EXPECT_EQ(sink->all[0].error_type, "");
  EXPECT_EQ(sink->all[1].error_type, "503");
  EXPECT_EQ(sink->all[2].error_type, "404");
}

TEST_F(TrackerTest, IgnoresTheSameBytesTwice) {
  End s{1, 10, 11, 8080, 40000};
  in(s, "GET /warm HTTP/1.1\r\n\r\n");
  const sonde_event e = make_event(s, SONDE_RECEIVE, kGet.size(), kGet.size());
  tracker->event(e, kGet);
  tracker->event(e, kGet);
  out(s, std::string(kOk) + std::string(kOk));
  EXPECT_EQ(finished().size(), 2U);
}

TEST_F(TrackerTest, TakesTheProcessOfEachRequest) {
  End s{1, 10, 11, 8080, 40000};
  in(s, kGet);
  out(s, kOk);
  s.tgid = 12;
  in(s, kGet);
  out(s, kOk);
  finished();
  ASSERT_EQ(sink->all.size(), 2U);
  EXPECT_EQ(sink->all[0].process->tgid, 10U);
  EXPECT_EQ(sink->all[1].process->tgid, 12U);
}

TEST_F(TrackerTest, ExcludesProcessesPortsAndItself) {
  TrackerConfig config;
  EXPECT_EQ(Filter::parse({}, {"port=8080"}, config.filter), "");
  config.own_tgid = 99;
  make(std::move(config));
  End s{1, 10, 11, 8080, 40000};
  in(s, kGet);
  out(s, kOk);
  End own{2, 99, 99, 8081, 40000};
  in(own, kGet);
  out(own, kOk);
  EXPECT_TRUE(finished().empty());
  EXPECT_TRUE(sink->excluded_tgids.empty());

  TrackerConfig by_name;
  EXPECT_EQ(Filter::parse({}, {"unkn*"}, by_name.filter), "");
  make(std::move(by_name));
  End other{3, 13, 13, 8080, 40000};
  in(other, kGet);
  EXPECT_EQ(sink->excluded_tgids, std::vector<uint32_t>{13});
  End replaced{4, 13, 13, 8080, 40001};
  tracker->event(make_event(replaced, SONDE_EXEC, 0, 0), {});
  EXPECT_EQ(sink->executed_tgids, std::vector<uint32_t>{13});
  in(replaced, kGet);
  EXPECT_EQ(sink->excluded_tgids, (std::vector<uint32_t>{13, 13}));
  Filter filter;
  EXPECT_EQ(Filter::parse({"colour=red"}, {}, filter), "colour=red");
}

TEST_F(TrackerTest, GivesUpTheLeastRecentConnection) {
  TrackerConfig config;
  config.max_connections = 4;
  make(std::move(config));
  for (uint64_t cookie = 1; cookie <= 10; ++cookie) {
    End s{cookie, 10, 11, 8080, static_cast<uint16_t>(40000 + cookie)};
    in(s, kGet);
  }
  EXPECT_EQ(tracker->connections(), 4U);
  EXPECT_EQ(tracker->open_requests(), 4U);
  EXPECT_EQ(tracker->stats().connections_evicted, 6U);
  EXPECT_TRUE(finished().empty());
}

TEST_F(TrackerTest, EndsConnectionsThatWereSilentForLong) {
  // One is never answered, the next ends with its connection, the third by its length.
  const std::string_view answers[] = {"", "HTTP/1.0 200 OK\r\n\r\nhello", kOk};
  for (uint64_t i = 0; i < 150; ++i) {
    End s{i + 1, 10, 11, 8080, static_cast<uint16_t>(40000 + i), true};
    in(s, "GET / HTTP/1.0\r\n\r\n");
    if (i % 3 != 0) out(s, answers[i % 3]);
  }
  EXPECT_EQ(finished().size(), 50U);
  tracker->tick(now += 599'000'000'000);
  EXPECT_EQ(tracker->connections(), 150U);
  tracker->tick(now += 1'000'000'000);
  EXPECT_EQ(finished().size(), 150U);
  EXPECT_EQ(tracker->connections() + tracker->open_requests(), 0U);
  const auto unanswered = [](const auto& r) { return r.status == 0 && r.error_type == "timeout"; };
  EXPECT_EQ(std::ranges::count_if(sink->all, unanswered), 50);
  // Nothing that was given up stands between a call of the thread and its parent.
  End s{1000, 10, 11, 8080, 50000, true};
  End c{1001, 10, 11, 50001, 9090};
  in(s, kGet);
  out(c, kGet);
  in(c, kOk);
  EXPECT_TRUE(finished().back().has_parent);
}

TEST_F(TrackerTest, EndsAResponseOfUnknownLengthBySilence) {
  End s{1, 10, 11, 8080, 40000};
  in(s, kGet);
  out(s, "HTTP/1.1 200 OK\r\nX: y", 50000);
  tracker->tick(now + 100'000'000);
  EXPECT_EQ(tracker->open_requests(), 1U);
  tracker->tick(now + 300'000'000);
  EXPECT_EQ(tracker->open_requests(), 0U);
  tracker->flush();
  ASSERT_EQ(sink->all.size(), 1U);
  EXPECT_EQ(sink->all[0].end_unix_ns - sink->all[0].start_unix_ns, 1000);
}

}  // namespace
}  // namespace sonde::probe
