// SPDX-License-Identifier: Apache-2.0
#include "base/system_memory.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>

namespace sonde {
namespace {

// Files of /proc and /sys are short and read at once.
std::string read_small(const char* path) {
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  std::string text(4096, '\0');
  const ssize_t size = ::read(fd, text.data(), text.size());
  ::close(fd);
  text.resize(size > 0 ? static_cast<size_t>(size) : 0);
  return text;
}

// The first number from `from` on; 0 where there is none before anything but blanks.
uint64_t number_in(std::string_view text, size_t from = 0) {
  while (from < text.size() && text[from] == ' ') ++from;
  uint64_t value = 0;
  std::from_chars(text.data() + std::min(from, text.size()), text.data() + text.size(), value);
  return value;
}

// The limit of the control group, its own or an outer one's; 0: none.
uint64_t group_limit() {
  // In a container the root of the mount is the group itself; outside, /proc names the path.
  uint64_t least = 0;
  const auto consider = [&](const std::string& path) {
    const uint64_t limit = number_in(read_small(path.c_str()));  // "max" is no number.
    if (limit > 0 && limit < (uint64_t{1} << 60))
      least = least == 0 ? limit : std::min(least, limit);
  };
  consider("/sys/fs/cgroup/memory.max");
  consider("/sys/fs/cgroup/memory/memory.limit_in_bytes");
  const std::string groups = read_small("/proc/self/cgroup");
  const size_t unified = groups.find("0::/");
  if (unified != std::string::npos && (unified == 0 || groups[unified - 1] == '\n')) {
    std::string path = groups.substr(unified + 3, groups.find('\n', unified) - unified - 3);
    for (; path.size() > 1; path.resize(path.rfind('/')))
      consider("/sys/fs/cgroup" + path + "/memory.max");
  }
  return least;
}

}  // namespace

Result<uint64_t> total_memory() {
  const std::string text = read_small("/proc/meminfo");
  constexpr std::string_view kName = "MemTotal:";
  const size_t at = text.find(kName);
  const uint64_t machine = at == std::string::npos ? 0 : number_in(text, at + kName.size()) * 1024;
  const uint64_t group = group_limit();
  if (machine == 0 && group == 0)
    return fail(ErrorKind::NotFound, "the system does not say how much memory there is");
  if (group == 0) return machine;
  return machine == 0 ? group : std::min(machine, group);
}

uint64_t resident_memory() {
  const std::string text = read_small("/proc/self/statm");
  const size_t space = text.find(' ');
  if (space == std::string::npos) return 0;
  return number_in(text, space) * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace sonde
