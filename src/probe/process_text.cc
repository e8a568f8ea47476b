// SPDX-License-Identifier: Apache-2.0
// Files and texts of process_text.h.
#include "probe/process_text.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "base/hex.h"

namespace sonde::probe::names {
namespace {

struct FileDescriptor {
  explicit FileDescriptor(int n) : number(n) {}
  ~FileDescriptor() {
    if (number >= 0) close(number);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int number;
};

}  // namespace

std::string read_file(const std::string& path, size_t limit) {
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  std::string out;
  char buffer[16384];
  while (out.size() < limit) {
    const ssize_t n = ::read(file.number, buffer, std::min(sizeof buffer, limit - out.size()));
    if (n <= 0) break;
    out.append(buffer, static_cast<size_t>(n));
  }
  return out;
}

std::string read_file_below(const std::string& root, const std::string& path, size_t limit) {
  const FileDescriptor folder(open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  const FileDescriptor place(
      static_cast<int>(syscall(SYS_openat2, folder.number, path.c_str(), &how, sizeof how)));
  // O_PATH touches nothing: a device or a pipe would be told of an opening, or wait for its peer.
  // Files of /proc and tracefs call themselves regular, without a size.
  struct stat facts{};
  if (place.number < 0 || fstat(place.number, &facts) != 0 || !S_ISREG(facts.st_mode) ||
      facts.st_size == 0) {
    return {};
  }
  return read_file("/proc/self/fd/" + std::to_string(place.number), limit);
}

std::string read_link(const std::string& path) {
  char buffer[4096];
  const ssize_t n = readlink(path.c_str(), buffer, sizeof buffer);
  return n > 0 ? std::string(buffer, static_cast<size_t>(n)) : std::string();
}

std::string base_name(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const size_t slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

std::vector<std::string> split_arguments(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty() && out.size() < 256) {
    const size_t end = std::min(text.find('\0'), text.size());
    out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size();
    if (std::string byte; escape && from_hex(text.substr(i + 1, 2), byte)) {
      out += byte;
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace sonde::probe::names
