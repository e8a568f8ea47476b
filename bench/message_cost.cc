// SPDX-License-Identifier: Apache-2.0
// What the kernel programs add to one message, in nanoseconds of CPU: one thread exchanges HTTP
// messages with itself over loopback TCP, and the modes (nothing attached, empty programs, this
// process excluded, this process captured) take turns within each round. A thread's own CPU time
// and short turns make this far less sensitive to a busy machine than a server under load is; but
// it says nothing of what caches cost a server that has other work. Prints one JSON line a mode.
// Needs root.
//   message_cost [ROUNDS]            waits until no other probe is attached to this host
//   message_cost [ROUNDS] programs   what the kernel says that each program ran (its own clock adds
//                                    about 50 ns, see the empty ones); needs no quiet, but leaves
//                                    out what attaching costs
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string_view>
#include <vector>

#include "bench_empty.skel.h"
#include "probe/probe.h"

namespace {

constexpr int kMessages = 4;  // In one exchange: a send and a receive on either end.
constexpr int kBatch = 500;
constexpr int kBatches = 5;
enum Mode { kOff, kEmpty, kExcluded, kCaptured, kModes };
constexpr std::array<const char*, kModes> kNames{"off", "empty", "excluded", "captured"};

double thread_ns() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

struct Pair {
  int client = -1, server = -1;
  Pair() {
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(a);
    auto* address = reinterpret_cast<sockaddr*>(&a);
    bind(listener, address, size);
    listen(listener, 1);
    getsockname(listener, address, &size);
    client = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(client, address, size) != 0) std::abort();
    server = accept(listener, nullptr, nullptr);
    close(listener);
    const int one = 1;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  }
  ~Pair() {
    close(client);
    close(server);
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  void exchange() const {
    static constexpr std::string_view request = "GET / HTTP/1.1\r\nHost: 127.0.0.1:18080\r\n\r\n";
    static char head[] =
        "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sat, 21 Nov 2026 16:18:31 GMT\r\n"
        "Content-Type: text/plain\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n";
    static char body[] = "hello";
    const iovec answer[2] = {{head, sizeof(head) - 1}, {body, 5}};
    char buffer[1024];
    if (send(client, request.data(), request.size(), 0) < 0 || recv(server, buffer, 1024, 0) <= 0 ||
        writev(server, answer, 2) < 0 || recv(client, buffer, 1024, 0) <= 0)
      std::abort();
  }
  // The least of a few batches: what disturbs a batch only ever adds.
  double cost(sonde::probe::Probe* probe) const {
    double least = 1e18;
    for (int b = 0; b < kBatches; b++) {
      const double before = thread_ns();
      for (int i = 0; i < kBatch; i++) exchange();
      least = std::min(least, (thread_ns() - before) / (kBatch * kMessages));
      if (probe) probe->drain([](const sonde_event&, std::string_view) {}, 1000000);
    }
    return least;
  }
};

double quantile(std::vector<double> v, double q) {
  std::sort(v.begin(), v.end());
  return v[static_cast<size_t>(q * static_cast<double>(v.size() - 1))];
}

std::unique_ptr<sonde::probe::Probe> probe_over_self(bool excluded) {
  auto made = sonde::probe::Probe::create({.drop_privileges = false, .exclude_self = excluded});
  if (!made || !(*made)->attach()) {
    std::fprintf(stderr, "cannot load the probe\n");
    std::exit(1);
  }
  return std::move(*made);
}

// Calls back with each program of the kernel that was loaded after that of number `id`; answers the
// number of the last.
template <typename Fn>
uint32_t each_program(uint32_t id, Fn fn) {
  while (bpf_prog_get_next_id(id, &id) == 0) {
    const int fd = bpf_prog_get_fd_by_id(id);
    if (fd < 0) continue;
    bpf_prog_info info{};
    uint32_t size = sizeof(info);
    if (bpf_obj_get_info_by_fd(fd, &info, &size) == 0) fn(info);
    close(fd);
  }
  return id;
}

// Probes attached to this host, ours among them: one more would be billed to every mode, and make
// ours cheaper.
int probes() {
  int found = 0;
  each_program(0, [&](const auto& i) { found += std::string_view(i.name) == "length_send"; });
  return found;
}

// Nanoseconds a run of the programs loaded since `id`, by what they see.
struct RunTimes {
  std::vector<double> send, receive;
  void take(uint32_t id) {
    each_program(id, [&](const bpf_prog_info& i) {
      if (i.run_cnt < kBatch) return;
      const double ns = static_cast<double>(i.run_time_ns) / static_cast<double>(i.run_cnt);
      const std::string_view name(i.name);
      if (name.ends_with("_send")) send.push_back(ns);
      if (name.ends_with("_receive")) receive.push_back(ns);
    });
  }
};

void wait_until_alone() {
  for (int i = 0; probes() != 0; i++) {
    if (i == 6000) {
      std::fprintf(stderr, "another probe stays attached on this host\n");
      std::exit(1);
    }
    poll(nullptr, 0, 100);
  }
}

double measure(Mode mode, bool& alone, RunTimes& times) {
  const uint32_t last = each_program(0, [](const auto&) {});
  // A connection of its own, so that nothing of another mode is left in the socket.
  if (mode == kOff) {
    const double ns = Pair().cost(nullptr);
    alone = probes() == 0;
    return ns;
  }
  if (mode == kEmpty) {
    bench_empty* empty = bench_empty__open_and_load();
    if (!empty || bench_empty__attach(empty) != 0) std::exit(1);
    const double ns = Pair().cost(nullptr);
    alone = probes() == 0;
    times.take(last);
    bench_empty__destroy(empty);
    return ns;
  }
  const auto probe = probe_over_self(mode == kExcluded);
  const double ns = Pair().cost(probe.get());
  alone = probes() == 1;
  times.take(last);
  const auto stats = probe->stats();
  const bool seen = stats.events >= uint64_t{kBatch} * kBatches * kMessages;
  if (stats.lost != 0 || seen != (mode == kCaptured)) {
    std::fprintf(stderr, "%s: %llu events, %llu lost\n", kNames[mode],
                 static_cast<unsigned long long>(stats.events),
                 static_cast<unsigned long long>(stats.lost));
    std::exit(1);
  }
  return ns;
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 20;
  const bool programs = argc > 2 && std::string_view(argv[2]) == "programs";
  if (programs && bpf_enable_stats(BPF_STATS_RUN_TIME) < 0) return 1;
  std::array<std::vector<double>, kModes> rows;
  std::array<RunTimes, kModes> times;
  for (int i = 0; i < rounds; i++)
    for (int m = 0; m < kModes; m++) {
      const auto mode = static_cast<Mode>((m + i) % kModes);
      for (bool alone = false;;) {
        if (!programs) wait_until_alone();
        const double ns = measure(mode, alone, times[mode]);
        if (!alone && !programs) continue;
        rows[mode].push_back(ns);
        break;
      }
    }
  for (int m = kEmpty; programs && m < kModes; m++)
    for (const bool send : {true, false}) {
      const auto& v = send ? times[m].send : times[m].receive;
      if (v.empty()) continue;
      std::printf(
          "{\"name\": \"program_%s_%s\", \"value\": %.1f, \"unit\": \"ns\", \"low\": %.1f, "
          "\"high\": %.1f, \"rounds\": %zu}\n",
          send ? "send" : "receive", kNames[m], quantile(v, 0.5), quantile(v, 0.25),
          quantile(v, 0.75), v.size());
    }
  for (int m = 0; !programs && m < kModes; m++) {
    std::vector<double> added;
    for (int i = 0; i < rounds; i++)
      added.push_back(rows[m][static_cast<size_t>(i)] - rows[kOff][static_cast<size_t>(i)]);
    std::printf(
        "{\"name\": \"message_cost_%s\", \"value\": %.1f, \"unit\": \"ns\", \"added\": %.1f, "
        "\"added_low\": %.1f, \"added_high\": %.1f, \"rounds\": %d}\n",
        kNames[m], quantile(rows[m], 0.5), quantile(added, 0.5), quantile(added, 0.25),
        quantile(added, 0.75), rounds);
  }
}
