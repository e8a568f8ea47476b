// SPDX-License-Identifier: Apache-2.0
// The cheapest possible user of the probe: drains on a timer and drops the records. It isolates
// what the kernel programs cost a server from what the rest of the program costs. Commands come as
// lines on stdin: `on`, `empty` (programs that do nothing), `off`, `exclude PID`, `include PID`,
// `stats`; each is answered with one line. The argument names a front end. Not a product binary.
#include <poll.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "bench_empty.skel.h"
#include "probe/probe.h"

int main(int argc, char** argv) {
  const auto front_end = sonde::probe::front_end_of(argc > 1 ? argv[1] : "auto");
  std::unique_ptr<sonde::probe::Probe> probe;
  bench_empty* empty = nullptr;
  uint64_t bytes = 0;
  std::string buffer;
  for (;;) {
    pollfd p{0, POLLIN, 0};
    poll(&p, 1, 20);
    if (probe)
      probe->drain([&](const sonde_event& e, std::string_view) { bytes += e.length; }, 1000000);
    if (!p.revents) continue;
    char chunk[512];
    const ssize_t n = read(0, chunk, sizeof(chunk));
    if (n <= 0) return 0;
    buffer.append(chunk, static_cast<size_t>(n));
    for (size_t end; (end = buffer.find('\n')) != std::string::npos; buffer.erase(0, end + 1)) {
      const std::string line = buffer.substr(0, end);
      if (line == "on" && !probe) {
        auto made = sonde::probe::Probe::create({.drop_privileges = false, .front_end = front_end});
        if (!made || !(*made)->attach()) {
          std::puts("cannot load");
          return 1;
        }
        probe = std::move(*made);
      } else if (line == "empty" && !empty) {
        empty = bench_empty__open_and_load();
        if (!empty || bench_empty__attach(empty) != 0) {
          std::puts("cannot load");
          return 1;
        }
      } else if (line == "off") {
        probe.reset();
        if (empty) bench_empty__destroy(empty);
        empty = nullptr;
      } else if (probe && line.starts_with("exclude ")) {
        probe->set_excluded(static_cast<uint32_t>(std::atoi(line.c_str() + 8)), true);
      } else if (probe && line.starts_with("include ")) {
        probe->set_excluded(static_cast<uint32_t>(std::atoi(line.c_str() + 8)), false);
      } else if (probe && line == "stats") {
        const auto s = probe->stats();
        std::printf("%llu %llu\n", static_cast<unsigned long long>(s.events),
                    static_cast<unsigned long long>(s.lost));
        std::fflush(stdout);
        continue;
      }
      std::puts("ok");
      std::fflush(stdout);
    }
  }
}
