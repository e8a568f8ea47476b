// SPDX-License-Identifier: Apache-2.0
#include "probe/doctor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/capability.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <charconv>
#include <cstdint>
#include <string_view>
#include <utility>

#include "probe/probe.h"

namespace sonde::probe {
namespace {

// At most 16 KiB; empty where the file cannot be read.
std::string read_small(const char* path) {
  std::string out;
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return out;
  char buffer[4096];
  for (ssize_t n; out.size() < 16384 && (n = read(fd, buffer, sizeof(buffer))) > 0;)
    out.append(buffer, static_cast<size_t>(n));
  close(fd);
  return out;
}

uint64_t effective_capabilities() {
  const std::string status = read_small("/proc/self/status");
  constexpr std::string_view kKey = "CapEff:\t";
  const size_t at = status.find(kKey);
  uint64_t out = 0;
  if (at == std::string::npos) return out;
  const char* begin = status.data() + at + kKey.size();
  std::from_chars(begin, status.data() + status.size(), out, 16);
  return out;
}

struct Need {
  int cap;
  const char* name;
  const char* why;
  bool met_by(uint64_t have) const {
    const bool implied = (cap == CAP_BPF || cap == CAP_PERFMON) && (have >> CAP_SYS_ADMIN & 1) != 0;
    return implied || (have >> cap & 1) != 0;
  }
};
constexpr Need kNeeds[] = {{CAP_BPF, "CAP_BPF", "load the programs"},
                           {CAP_PERFMON, "CAP_PERFMON", "attach them to tracepoints"},
                           {CAP_SYS_PTRACE, "CAP_SYS_PTRACE", "name the processes of other users"},
                           {CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH", "read their executables"}};

// The mode in brackets of "none [integrity] confidentiality"; empty where there is no lockdown.
std::string lockdown_mode() {
  const std::string text = read_small("/sys/kernel/security/lockdown");
  const size_t from = text.find('[');
  const size_t to = text.find(']');
  if (from == std::string::npos || to == std::string::npos || to < from) return {};
  return text.substr(from + 1, to - from - 1);
}

}  // namespace

std::vector<std::string> missing_capabilities() {
  const uint64_t have = effective_capabilities();
  std::vector<std::string> out;
  for (const Need& n : kNeeds)
    if (!n.met_by(have)) out.emplace_back(n.name);
  return out;
}

Diagnosis diagnose() {
  Diagnosis out;
  bool able = true;
  auto good = [&](std::string what) {
    out.findings.push_back({Finding::Good, std::move(what), {}});
  };
  auto note = [&](std::string what) {
    out.findings.push_back({Finding::Note, std::move(what), {}});
  };
  auto missing = [&](std::string what, std::string remedy) {
    out.findings.push_back({Finding::Missing, std::move(what), std::move(remedy)});
    able = false;
  };

  utsname name{};
  uname(&name);
  good(fmt::format("kernel {} on {}", name.release, name.machine));
  if (std::string_view(name.machine) != "x86_64")
    missing("payload capture is written for x86_64", "run on an x86_64 host");

  const bool btf = access("/sys/kernel/btf/vmlinux", R_OK) == 0;
  if (btf) {
    good("kernel type information (BTF)");
  } else {
    missing("no kernel type information at /sys/kernel/btf/vmlinux",
            "use a kernel with CONFIG_DEBUG_INFO_BTF=y (every current distribution kernel); in a "
            "container, mount /sys");
  }

  const std::vector<FrontEnd> front_ends = btf ? detect_front_ends() : std::vector<FrontEnd>();
  const FrontEnd front_end = front_ends.empty() ? FrontEnd::None : front_ends.front();
  out.front_end = to_string(front_end);
  switch (front_end) {
    case FrontEnd::SocketLength:
      good("front end: socket length tracepoints");
      break;
    case FrontEnd::Fexit:
      good("front end: TCP function exits");
      note("unix sockets are not seen with this front end; kernel 6.3 or later sees them");
      note(
          "should this kernel trace no functions, the end of every system call is watched instead, "
          "which costs more");
      break;
    case FrontEnd::SystemCalls:
      good("front end: the end of every system call");
      note(
          "every system call of the host pays for this front end; kernel 6.3 or later, or one with "
          "CONFIG_FUNCTION_TRACER=y, has a cheaper one");
      break;
    case FrontEnd::None:
      if (btf)
        missing(
            "neither socket length tracepoints nor traceable TCP functions nor tracepoints of "
            "system calls",
            "use kernel 6.3 or later, or an earlier one with CONFIG_FTRACE_SYSCALLS=y");
      break;
  }

  if (front_end == FrontEnd::SystemCalls) {
    note("servers that use io_uring for their sockets are not seen with this front end");
  } else if (front_end != FrontEnd::None) {
    switch (detect_ring_means()) {
      case RingMeans::Inside:
        good("io_uring: messages of sockets are read");
        break;
      case RingMeans::Requests:
        good("io_uring: messages of sockets are read");
        note(
            "requests that a program gave to io_uring before the start are not seen; kernel 6.16 "
            "or later sees them");
        break;
      case RingMeans::None:
        note(
            "servers that use io_uring for their sockets are not seen: this kernel has no "
            "io_uring or no tracepoint in it");
        break;
    }
  }

  const uint64_t have = effective_capabilities();
  for (const Need& n : kNeeds) {
    if (n.met_by(have)) {
      good(fmt::format("{} (to {})", n.name, n.why));
    } else {
      missing(fmt::format("no {} (to {})", n.name, n.why),
              fmt::format("run as root, or put {} into AmbientCapabilities= of the unit or "
                          "--cap-add of the container",
                          n.name));
    }
  }

  const std::string lockdown = lockdown_mode();
  if (lockdown == "confidentiality") {
    missing("kernel lockdown is in confidentiality mode, which forbids reading memory by BPF",
            "boot with lockdown=integrity or without Secure Boot");
  } else if (lockdown == "integrity") {
    note("kernel lockdown is in integrity mode; capture works, as nothing is written to processes");
  }
  // The first process namespace has this fixed inode.
  char self[64] = {};
  if (readlink("/proc/self/ns/pid", self, sizeof(self) - 1) > 0 &&
      std::string_view(self) != "pid:[4026531836]")
    missing("this is not the host's process namespace, so process numbers would not agree",
            "run on the host, or the container with --pid=host (hostPID: true)");
  out.able = able;
  return out;
}

std::string to_text(const Diagnosis& diagnosis) {
  std::string out;
  for (const Finding& f : diagnosis.findings) {
    const char* mark = f.kind == Finding::Good   ? "ok      "
                       : f.kind == Finding::Note ? "note    "
                                                 : "missing ";
    out += fmt::format("{}{}\n", mark, f.what);
    if (!f.remedy.empty()) out += fmt::format("        -> {}\n", f.remedy);
  }
  out +=
      diagnosis.able ? "Capture can start.\n" : "Capture cannot start until the above is mended.\n";
  return out;
}

}  // namespace sonde::probe
