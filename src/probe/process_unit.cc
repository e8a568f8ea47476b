// SPDX-License-Identifier: Apache-2.0
#include "probe/process_unit.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "probe/process_names.h"

namespace sonde::probe {
namespace {

// Members of a unit are listed oldest first but for those that were moved, so the first few tell.
constexpr size_t kMaxMembers = 64;

struct Stat {
  uint64_t session = 0;
  uint64_t started = 0;  // Clock ticks since boot.
};

// Fields 6 and 22 of /proc/<pid>/stat; the name before them may hold spaces and brackets.
std::optional<Stat> read_stat(const std::string& folder) {
  const std::string text = names::read_file(folder + "/stat", 1024);
  const size_t end = text.rfind(')');
  if (end == std::string::npos) return std::nullopt;
  Stat out;
  const char* at = text.data() + end + 1;
  const char* const last = text.data() + text.size();
  for (int field = 3; field <= 22; ++field) {
    at = std::find_if(at, last, [](char c) { return c != ' '; });
    const char* const stop = std::find(at, last, ' ');
    if (at == last) return std::nullopt;
    if (field == 6) std::from_chars(at, stop, out.session);
    if (field == 22) std::from_chars(at, stop, out.started);
    at = stop;
  }
  return out;
}

std::string unit_path(std::string_view cgroup, std::string_view unit) {
  while (!cgroup.empty()) {
    const std::string_view line = cgroup.substr(0, cgroup.find('\n'));
    cgroup.remove_prefix(std::min(cgroup.size(), line.size() + 1));
    const size_t start = line.find('/');
    if (start == std::string_view::npos) continue;
    const std::string wanted = "/" + std::string(unit);
    const std::string_view path = line.substr(start);
    for (size_t at = path.find(wanted); at != std::string_view::npos;
         at = path.find(wanted, at + 1)) {
      const size_t end = at + wanted.size();
      if (end == path.size() || path[end] == '/') return std::string(path.substr(0, end));
    }
  }
  return {};
}

bool is_shell(std::string_view program) {
  constexpr std::array<std::string_view, 10> kShells = {
      "sh", "bash", "dash", "zsh", "ash", "busybox", "env", "tini", "dumb-init", "s6-supervise"};
  return std::find(kShells.begin(), kShells.end(), program) != kShells.end();
}

}  // namespace

bool unit_names_process(const UnitPlaces& places, uint32_t tgid, std::string_view cgroup,
                        std::string_view unit) {
  const std::string path = unit_path(cgroup, unit);
  std::string members;
  for (const char* layout : {"", "/unified", "/systemd"}) {
    members = names::read_file(places.cgroup_root + layout + path + "/cgroup.procs", 4096);
    if (!members.empty()) break;
  }
  uint32_t oldest = 0;
  Stat first;
  const char* at = members.data();
  const char* const last = at + members.size();
  for (size_t i = 0; i < kMaxMembers && at < last; ++i) {
    uint32_t pid = 0;
    const auto [stop, error] = std::from_chars(at, last, pid);
    if (error != std::errc()) break;
    at = std::find(stop, last, '\n') + (stop < last ? 1 : 0);
    const auto stat = read_stat(places.proc_root + "/" + std::to_string(pid));
    if (stat && (oldest == 0 || stat->started < first.started)) {
      oldest = pid;
      first = *stat;
    }
  }
  if (oldest == 0 || oldest == tgid) return true;
  const std::string own = places.proc_root + "/" + std::to_string(tgid);
  const auto stat = read_stat(own);
  if (!stat || stat->session != first.session) return false;
  const std::string program =
      names::read_link(places.proc_root + "/" + std::to_string(oldest) + "/exe");
  return program == names::read_link(own + "/exe") || is_shell(names::base_name(program));
}

}  // namespace sonde::probe
