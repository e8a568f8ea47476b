// SPDX-License-Identifier: Apache-2.0
// A protocol is one folder: echo_line lies outside the program, no other file names it, and with
// its folder in the list the kernel finds it, its parser reads it, both ends are joined and spans
// and metrics come out under its own name, beside HTTP/1 in the same process.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "components/receiver/ebpf/emitter.h"
#include "data/metric_view.h"
#include "data/trace_view.h"
#include "probe/probe.h"
#include "probe/protocol/protocol.h"
#include "rollup/span_observation.h"

namespace sonde {
namespace {

constexpr const char* kServer = R"(
import os, socket, threading
def serve(c):
    while data := c.recv(4096):
        for line in data.decode().splitlines():
            if line.startswith('GET '):
                c.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
            elif line.startswith('ECHO '):
                c.sendall(('FAIL no\n' if 'bad' in line else 'SAID ' + line[5:] + '\n').encode())
s = socket.create_server(('127.0.0.1', 0))
os.write(1, str(s.getsockname()[1]).encode() + b'\n')
while True:
    c, _ = s.accept()
    threading.Thread(target=serve, args=(c,), daemon=True).start()
)";

struct Child {
  Child() {
    int out[2];
    if (pipe(out) != 0) return;
    pid = fork();
    if (pid == 0) {
      dup2(out[1], 1);
      execlp("python3", "python3", "-c", kServer, nullptr);
      _exit(127);
    }
    close(out[1]);
    char line[32] = {};
    if (read(out[0], line, sizeof line - 1) > 0) port = atoi(line);
    close(out[0]);
  }
  ~Child() {
    if (pid > 0) {
      kill(pid, SIGKILL);
      waitpid(pid, nullptr, 0);
    }
  }
  pid_t pid = -1;
  int port = 0;
};

// Sends each request on one connection and waits for its answer.
void talk(int port, const std::vector<std::string>& requests) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(static_cast<uint16_t>(port));
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&a), sizeof a), 0);
  for (const std::string& request : requests) {
    ASSERT_EQ(send(fd, request.data(), request.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(request.size()));
    pollfd p{fd, POLLIN, 0};
    ASSERT_EQ(poll(&p, 1, 10000), 1);
    char answer[256];
    ASSERT_GT(recv(fd, answer, sizeof answer, 0), 0);
  }
  close(fd);
}

struct Kept final : probe::RequestSink {
  void request(const probe::FinishedRequest& r) override { all.push_back(r); }
  std::vector<probe::FinishedRequest> all;
};

TEST(ExtraProtocol, IsNamedByNoFileOfTheProgram) {
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(std::string(SONDE_SOURCE_DIR) + "/src")) {
    if (!entry.is_regular_file() || entry.path().filename() == "room.cmake") continue;
    std::ifstream file(entry.path(), std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    EXPECT_EQ(text.str().find("echo_line"), std::string::npos) << entry.path();
  }
}

TEST(ExtraProtocol, IsCapturedJoinedAndReportedUnderItsName) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const Child server;
  ASSERT_GT(server.port, 0);
  auto made = probe::Probe::create({.drop_privileges = false, .exclude_self = false});
  ASSERT_TRUE(made) << made.error().message;
  ASSERT_TRUE((*made)->attach());
  Kept kept;
  probe::ProcessTable processes;
  probe::Tracker tracker({}, processes, kept);
  talk(server.port, {"ECHO one\n", "ECHO two\n", "ECHO bad\n"});
  talk(server.port, {"GET /beside HTTP/1.1\r\nHost: x\r\n\r\n"});
  const auto mine = [&](const sonde_event& e, std::string_view payload) {
    const auto pid = static_cast<uint32_t>(server.pid);
    if (e.tgid == pid || e.tgid == static_cast<uint32_t>(getpid()) || e.type == SONDE_CLOSE) {
      tracker.event(e, payload);
    }
  };
  while ((*made)->drain(mine) > 0) {
  }
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  tracker.tick(int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec + 1'000'000'000);
  tracker.flush();

  std::map<std::string, int> seen;
  std::map<std::string, std::map<probe::TraceId, int>> traces;
  Emitter emitter({});
  for (const probe::FinishedRequest& r : kept.all) {
    const std::string name(r.protocol->name());
    ++seen[name + (r.server ? " server " : " client ") + r.operation + " " + r.target + " " +
           r.error_type];
    ++traces[name][r.trace_id];
    emitter.request(r);
  }
  const std::map<std::string, int> expected = {
      {"echo_line client ECHO bad refused", 1}, {"echo_line client ECHO one ", 1},
      {"echo_line client ECHO two ", 1},        {"echo_line server ECHO bad refused", 1},
      {"echo_line server ECHO one ", 1},        {"echo_line server ECHO two ", 1},
      {"http1 client GET /beside ", 1},         {"http1 server GET /beside ", 1}};
  EXPECT_EQ(seen, expected);
  EXPECT_EQ(traces["echo_line"].size(), 3U);
  EXPECT_EQ(traces["http1"].size(), 1U);

  int spans = 0;
  const Batch batch = emitter.take_spans();
  ASSERT_TRUE(for_each_span(batch, [&](const ResourceView& r, const ScopeView&, const SpanView& s) {
    if (s.get("rpc.system.name").as_string() != "echo_line") return;
    ++spans;
    EXPECT_EQ(s.name, "ECHO lines");
    EXPECT_EQ(s.get("rpc.method").as_string(), "ECHO");
    EXPECT_NE(s.get("echo_line.text").as_string(), "");
    EXPECT_EQ(s.get("http.request.method").as_string(), "");
    const auto o = rollup::observation_of(rollup::facts_of(r), s);
    ASSERT_TRUE(o);
    EXPECT_EQ(o->scheme, "echo_line");
    EXPECT_EQ(o->route, "lines");
    EXPECT_EQ(o->error, s.get("echo_line.text").as_string() == "bad");
  }));
  EXPECT_EQ(spans, 6);

  std::map<std::string, uint64_t> counts;
  const Batch metrics = emitter.take_metrics(1);
  ASSERT_TRUE(
      for_each_metric(metrics, [&](const ResourceView&, const ScopeView&, const MetricView& m) {
        for (const HistogramPointView& p : m.histograms()) counts[std::string(m.name)] += p.count;
      }));
  EXPECT_EQ(counts["rpc.server.call.duration"], 3U);
  EXPECT_EQ(counts["rpc.client.call.duration"], 3U);
  EXPECT_EQ(counts["http.server.request.duration"], 1U);
  EXPECT_EQ(counts["http.client.request.duration"], 1U);
  EXPECT_EQ(counts["http.server.request.body.size"], 1U);
}

}  // namespace
}  // namespace sonde
