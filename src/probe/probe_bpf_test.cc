// SPDX-License-Identifier: Apache-2.0
// Runs the real programs in this kernel against a Python server in a child process, and asserts
// that the request heads arrive byte for byte. Needs root; without it every test is skipped.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <map>
#include <string>
#include <vector>

#include "probe/probe.h"
#include "probe/process_table.h"
#include "probe/protocol/protocol.h"
#include "probe/testing/config.h"

namespace sonde::probe {
namespace {

struct Seen {
  sonde_event event;
  std::string payload;
};

constexpr const char* kServer = R"(
import http.server, socketserver, sys, os
class H(http.server.BaseHTTPRequestHandler):
  protocol_version = 'HTTP/1.1'
  wbufsize = -1
  disable_nagle_algorithm = True
  def do_GET(self):
    body = b'x' * int(self.path.split('=')[1]) if '=' in self.path else b'ok'
    self.send_response(200); self.send_header('Content-Length', str(len(body))); self.end_headers()
    self.wfile.write(body); self.wfile.flush()
  def do_POST(self):
    n = int(self.headers['Content-Length']); self.rfile.read(n); self.do_GET()
  def log_message(self, *a): pass
s = http.server.ThreadingHTTPServer(('127.0.0.1', 0), H)
os.write(1, str(s.server_port).encode() + b'\n')
s.serve_forever()
)";

class Child {
 public:
  explicit Child(const char* script) {
    int out[2];
    if (pipe(out) != 0) return;
    pid_ = fork();
    if (pid_ == 0) {
      dup2(out[1], 1);
      close(out[0]);
      execlp("python3", "python3", "-u", "-c", script, nullptr);
      _exit(127);
    }
    close(out[1]);
    char line[32] = {};
    const ssize_t n = read(out[0], line, sizeof(line) - 1);
    close(out[0]);
    if (n > 0) port_ = atoi(line);
  }
  ~Child() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
  }
  pid_t pid() const { return pid_; }
  int port() const { return port_; }

 private:
  pid_t pid_ = -1;
  int port_ = 0;
};

class Client {
 public:
  explicit Client(int port) {
    fd_ = socket(AF_INET, SOCK_STREAM, 0);
    const int one = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_port = htons(static_cast<uint16_t>(port));
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd_, reinterpret_cast<sockaddr*>(&a), sizeof(a)) != 0) close_now();
  }
  ~Client() { close_now(); }
  void send(std::string_view bytes) {
    EXPECT_EQ(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  // Reads until a whole response with this many body bytes has come.
  std::string response(size_t body) {
    std::string all;
    char buffer[65536];
    for (;;) {
      const size_t end = all.find("\r\n\r\n");
      if (end != std::string::npos && all.size() >= end + 4 + body) return all;
      pollfd p{fd_, POLLIN, 0};
      if (poll(&p, 1, 5000) != 1) return all;
      const ssize_t n = recv(fd_, buffer, sizeof(buffer), 0);
      if (n <= 0) return all;
      all.append(buffer, static_cast<size_t>(n));
    }
  }
  void close_now() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

class ProbeBpf : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
  }
  void start() {
    ProbeConfig config = testing::config();
    config.exclude_self = true;
    auto made = Probe::create(config);
    ASSERT_TRUE(made) << made.error().message;
    probe_ = std::move(*made);
    auto attached = probe_->attach();
    ASSERT_TRUE(attached) << attached.error().message;
  }
  std::vector<Seen> events_of(pid_t pid) {
    std::vector<Seen> out;
    while (probe_->drain([&](const sonde_event& e, std::string_view payload) {
      if (e.tgid == static_cast<uint32_t>(pid)) out.push_back({e, std::string(payload)});
    }) > 0) {
    }
    return out;
  }
  std::unique_ptr<Probe> probe_;
};

std::string get(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: test\r\nX-Pad: abcdef\r\n\r\n";
}

// What one direction of one connection carried, joined where the records are contiguous.
std::string joined(const std::vector<Seen>& events, uint8_t type) {
  std::string all;
  for (const Seen& s : events)
    if (s.event.type == type) all += s.payload;
  return all;
}

TEST_F(ProbeBpf, SeesRequestHeadsExactly) {
  Child server(kServer);
  ASSERT_GT(server.port(), 0);
  ASSERT_NO_FATAL_FAILURE(start());
  Client client(server.port());
  std::string sent;
  for (int i = 0; i < 50; i++) {
    const std::string request = get("/item/" + std::to_string(i));
    sent += request;
    client.send(request);
    ASSERT_TRUE(client.response(2).starts_with("HTTP/1.1 200"));
  }
  const auto events = events_of(server.pid());
  EXPECT_EQ(joined(events, SONDE_RECEIVE), sent);
  size_t turns = 0;
  uint64_t cookie = 0;
  for (const Seen& s : events) {
    const sonde_event& e = s.event;
    if (e.type != SONDE_RECEIVE && e.type != SONDE_SEND) continue;
    if (cookie == 0) cookie = e.cookie;
    EXPECT_EQ(e.cookie, cookie);
    EXPECT_EQ(e.local_port, server.port());
    EXPECT_TRUE(e.flags & SONDE_ACCEPTED);
    EXPECT_TRUE(e.flags & SONDE_SOCKET_BLOCKING);
    EXPECT_FALSE(e.flags & (SONDE_GAP | SONDE_PAYLOAD_MISSING));
    EXPECT_EQ(e.local_addr[12], 127);
    EXPECT_EQ(e.local_addr[10], 0xff);
    EXPECT_EQ(e.protocol, protocol_number("http1"));
    EXPECT_NE(e.seq, 0u);
    EXPECT_NE(e.netns, 0u);
    if (e.type == SONDE_RECEIVE) {
      EXPECT_GT(e.arrived_ns, 0u);
      EXPECT_LE(e.arrived_ns, e.time_ns);
      turns += (e.flags & SONDE_TURN_START) != 0;
    }
  }
  EXPECT_EQ(turns, 50u);
  EXPECT_EQ(probe_->stats().lost, 0u);
}

TEST_F(ProbeBpf, JoinsAConnectionThatWasOpenBefore) {
  Child server(kServer);
  Client client(server.port());
  client.send(get("/before"));
  ASSERT_TRUE(client.response(2).starts_with("HTTP/1.1 200"));
  ASSERT_NO_FATAL_FAILURE(start());
  // A function exit is not seen by a thread that waited inside the function when it was attached,
  // so that front end misses one receive of such a connection.
  if (probe_->front_end() == FrontEnd::Fexit) {
    client.send(get("/missed"));
    ASSERT_TRUE(client.response(2).starts_with("HTTP/1.1 200"));
    events_of(server.pid());
  }
  client.send(get("/after"));
  ASSERT_TRUE(client.response(2).starts_with("HTTP/1.1 200"));
  const auto events = events_of(server.pid());
  EXPECT_EQ(joined(events, SONDE_RECEIVE), get("/after"));
  ASSERT_FALSE(events.empty());
  EXPECT_TRUE(events[0].event.flags & SONDE_GAP);
  EXPECT_TRUE(events[0].event.flags & SONDE_TURN_START);
}

TEST_F(ProbeBpf, KeepsSplitHeadsAndCountsLongBodies) {
  Child server(kServer);
  ASSERT_NO_FATAL_FAILURE(start());
  Client client(server.port());
  const std::string head = "POST /up=9000 HTTP/1.1\r\nHost: test\r\nContent-Length: 20000\r\n\r\n";
  client.send(head.substr(0, 1));
  usleep(20000);
  client.send(head.substr(1, 2));
  usleep(20000);
  client.send(head.substr(3));
  client.send(std::string(20000, 'b'));
  ASSERT_TRUE(client.response(9000).starts_with("HTTP/1.1 200"));
  const auto events = events_of(server.pid());
  EXPECT_TRUE(joined(events, SONDE_RECEIVE).starts_with(head));
  EXPECT_TRUE(joined(events, SONDE_SEND).starts_with("HTTP/1.1 200"));
  uint64_t received = 0, expected_offset = 0;
  for (const Seen& s : events) {
    if (s.event.type != SONDE_RECEIVE) continue;
    EXPECT_EQ(s.event.stream_offset, expected_offset);
    expected_offset += s.event.length;
    received += s.event.length;
  }
  EXPECT_EQ(received, head.size() + 20000);
}

TEST_F(ProbeBpf, IsSilentAboutExcludedProcessesAndForeignProtocols) {
  Child server(kServer);
  Child echo(R"(
import socket, os
s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(5)
os.write(1, str(s.getsockname()[1]).encode() + b'\n')
while True:
  c, _ = s.accept()
  while True:
    d = c.recv(4096)
    if not d: break
    c.sendall(b'HELLO WORLD\r\n\r\n')
)");
  ASSERT_NO_FATAL_FAILURE(start());
  probe_->set_excluded(static_cast<uint32_t>(server.pid()), true);
  {
    Client client(server.port());
    client.send(get("/hidden"));
    ASSERT_TRUE(client.response(2).starts_with("HTTP/1.1 200"));
    Client other(echo.port());
    for (int i = 0; i < 10; i++) {
      other.send("PING some other protocol");
      ASSERT_TRUE(other.response(0).starts_with("HELLO"));
    }
  }
  size_t messages = 0;
  for (const Seen& s : events_of(server.pid())) messages += s.event.type <= SONDE_SEND;
  for (const Seen& s : events_of(echo.pid())) messages += s.event.type <= SONDE_SEND;
  EXPECT_EQ(messages, 0u);
}

TEST_F(ProbeBpf, TellsWhatAProgramWasAtItsStart) {
  ASSERT_NO_FATAL_FAILURE(start());
  const pid_t pid = fork();
  if (pid == 0) {
    execl("/bin/sh", "sh", "-c", "true", "short lived", nullptr);
    _exit(127);
  }
  ASSERT_EQ(waitpid(pid, nullptr, 0), pid);
  std::vector<std::pair<int, ProcessStart>> starts;
  for (const Seen& s : events_of(pid)) {
    if (s.event.type == SONDE_EXEC || s.event.type == SONDE_FORK)
      starts.emplace_back(s.event.type, process_start_of(s.payload));
  }
  ASSERT_EQ(starts.size(), 2u);
  EXPECT_EQ(starts[0].first, SONDE_FORK);
  EXPECT_EQ(starts[0].second.comm, "probe_test");
  EXPECT_EQ(starts[1].first, SONDE_EXEC);
  const ProcessStart& exec = starts[1].second;
  EXPECT_EQ(exec.comm, "sh");
  EXPECT_EQ(exec.path, "/bin/sh");
  EXPECT_EQ(exec.arguments, std::string_view("sh\0-c\0true\0short lived\0", 23));
  EXPECT_NE(exec.cgroup, 0u);
}

TEST_F(ProbeBpf, NamesTheCgroupOfAProcessThatIsGone) {
  ASSERT_NO_FATAL_FAILURE(start());
  char mount_point[] = "/tmp/sonde_cgroup_XXXXXX";
  ASSERT_NE(mkdtemp(mount_point), nullptr);
  if (mount("none", mount_point, "cgroup2", 0, nullptr) != 0) {
    rmdir(mount_point);
    GTEST_SKIP() << "cannot mount cgroup2";
  }
  const std::string name = "sonde-test-" + std::to_string(getpid());
  const std::string group = std::string(mount_point) + "/" + name + ".service";
  EXPECT_EQ(mkdir(group.c_str(), 0755), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    const int fd = open((group + "/cgroup.procs").c_str(), O_WRONLY);
    if (write(fd, "0", 1) != 1) _exit(126);
    close(fd);
    execl("/bin/true", "true", nullptr);
    _exit(127);
  }
  int status = 0;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_EQ(status, 0);
  ProcessTable processes({.proc_root = "/proc", .host = "h"});
  for (const Seen& s : events_of(pid)) {
    if (s.event.type == SONDE_EXEC) processes.exec(s.event.tgid, process_start_of(s.payload));
  }
  EXPECT_EQ(processes.get(static_cast<uint32_t>(pid))->unit, name + ".service");
  EXPECT_EQ(processes.get(static_cast<uint32_t>(pid))->service, name);
  rmdir(group.c_str());
  umount2(mount_point, MNT_DETACH);
  rmdir(mount_point);
}

TEST_F(ProbeBpf, ReportsProcessesAndClosedConnections) {
  ASSERT_NO_FATAL_FAILURE(start());
  pid_t pid = 0;
  {
    Child server(kServer);
    pid = server.pid();
    Client client(server.port());
    client.send(get("/"));
    ASSERT_TRUE(client.response(2).starts_with("HTTP/1.1 200"));
  }
  std::map<int, int> count;
  while (probe_->drain([&](const sonde_event& e, std::string_view) {
    if (e.tgid == static_cast<uint32_t>(pid) || e.type == SONDE_CLOSE) count[e.type]++;
  }) > 0) {
  }
  EXPECT_EQ(count[SONDE_FORK], 1);
  EXPECT_GE(count[SONDE_EXEC], 1);
  // Two threads that end at the same moment are both the last one.
  EXPECT_GE(count[SONDE_EXIT], 1);
  EXPECT_GE(count[SONDE_CLOSE], 1);
}

}  // namespace
}  // namespace sonde::probe
