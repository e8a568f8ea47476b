// SPDX-License-Identifier: Apache-2.0
#include "net/socket/port_owner.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <memory>

namespace sonde::net {
namespace {

// /proc/net/tcp may be large on a busy host; a bound keeps the error path from eating memory.
constexpr size_t kMaxTable = 32 * 1024 * 1024;

std::string read_file(const std::string& path) {
  std::string text;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return text;
  char buffer[16384];
  while (text.size() < kMaxTable) {
    const ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n <= 0) break;
    text.append(buffer, static_cast<size_t>(n));
  }
  ::close(fd);
  return text;
}

std::string_view next_word(std::string_view& line) {
  const size_t begin = line.find_first_not_of(' ');
  if (begin == std::string_view::npos) return line = {};
  const size_t end = std::min(line.find(' ', begin), line.size());
  const std::string_view word = line.substr(begin, end - begin);
  line.remove_prefix(end);
  return word;
}

using Dir = std::unique_ptr<DIR, int (*)(DIR*)>;

bool holds_socket(const std::string& fd_dir, const std::vector<std::string>& names) {
  const Dir dir(::opendir(fd_dir.c_str()), ::closedir);
  if (!dir) return false;
  while (const dirent* entry = ::readdir(dir.get())) {
    char target[64];
    const std::string path = fmt::format("{}/{}", fd_dir, entry->d_name);
    const ssize_t n = ::readlink(path.c_str(), target, sizeof target);
    if (n <= 0) continue;
    const std::string_view link(target, static_cast<size_t>(n));
    if (std::find(names.begin(), names.end(), link) != names.end()) return true;
  }
  return false;
}

}  // namespace

std::vector<uint64_t> listening_inodes(std::string_view table, uint16_t port) {
  std::vector<uint64_t> inodes;
  const std::string wanted = fmt::format("{:04X}", port);
  while (!table.empty()) {
    const size_t eol = std::min(table.find('\n'), table.size());
    std::string_view line = table.substr(0, eol);
    table.remove_prefix(std::min(eol + 1, table.size()));
    next_word(line);  // "0:"
    const std::string_view local = next_word(line);
    next_word(line);                        // the remote end
    if (next_word(line) != "0A") continue;  // TCP_LISTEN
    if (local.size() < 5 || !local.ends_with(wanted)) continue;
    for (int i = 0; i < 5; ++i) next_word(line);  // queues, timer, retransmits, uid, timeout
    const std::string_view inode = next_word(line);
    uint64_t value = 0;
    const auto parsed = std::from_chars(inode.data(), inode.data() + inode.size(), value);
    if (parsed.ec == std::errc() && value != 0) inodes.push_back(value);
  }
  return inodes;
}

std::optional<PortOwner> find_port_owner(uint16_t port, std::string_view proc) {
  std::vector<std::string> names;
  for (const char* table : {"tcp", "tcp6"}) {
    const std::string text = read_file(fmt::format("{}/net/{}", proc, table));
    for (const uint64_t inode : listening_inodes(text, port)) {
      names.push_back(fmt::format("socket:[{}]", inode));
    }
  }
  if (names.empty()) return std::nullopt;
  const Dir dir(::opendir(std::string(proc).c_str()), ::closedir);
  if (!dir) return std::nullopt;
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string_view name = entry->d_name;
    PortOwner owner;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), owner.pid);
    if (parsed.ec != std::errc() || parsed.ptr != name.data() + name.size()) continue;
    if (!holds_socket(fmt::format("{}/{}/fd", proc, name), names)) continue;
    owner.program = read_file(fmt::format("{}/{}/comm", proc, name));
    while (owner.program.ends_with('\n')) owner.program.pop_back();
    return owner;
  }
  return std::nullopt;
}

}  // namespace sonde::net
