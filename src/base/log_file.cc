// SPDX-License-Identifier: Apache-2.0
#include "base/log_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace sonde {

Error disk_error(std::string_view what, const std::filesystem::path& path, int error_number) {
  const bool full = error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG;
  const bool denied = error_number == EACCES || error_number == EPERM || error_number == EROFS;
  return {full     ? ErrorKind::Exhausted
          : denied ? ErrorKind::Denied
                   : ErrorKind::Unavailable,
          fmt::format("cannot {} {}: {}", what, path.string(),
                      std::generic_category().message(error_number)),
          {}};
}

Result<std::shared_ptr<LogFile>> LogFile::open(const std::filesystem::path& path, int flags) {
  const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC, 0640);
  if (descriptor < 0) return std::unexpected(disk_error("open", path, errno));
  return std::make_shared<LogFile>(descriptor, path);
}

LogFile::~LogFile() { ::close(descriptor_); }

Result<> LogFile::write_at(uint64_t offset, std::span<const std::string_view> parts) {
  size_t part = 0;
  size_t done = 0;  // Of parts[part].
  while (part < parts.size()) {
    std::array<iovec, 64> vectors;
    size_t count = 0;
    for (size_t i = part; i < parts.size() && count < vectors.size(); ++i) {
      const std::string_view rest = i == part ? parts[i].substr(done) : parts[i];
      vectors[count++] = {const_cast<char*>(rest.data()), rest.size()};
    }
    const ssize_t written =
        ::pwritev(descriptor_, vectors.data(), static_cast<int>(count), static_cast<off_t>(offset));
    if (written < 0) {
      if (errno == EINTR) continue;
      return std::unexpected(disk_error("write", path_, errno));
    }
    offset += static_cast<uint64_t>(written);
    auto left = static_cast<size_t>(written);
    size_t covered = 0;
    while (part < parts.size() && covered < count && left >= parts[part].size() - done) {
      left -= parts[part].size() - done;
      done = 0;
      ++part;
      ++covered;
    }
    done += left;
    // Not all fits, and the system only says why when asked again.
    if (written == 0 && covered == 0) return std::unexpected(disk_error("write", path_, ENOSPC));
  }
  return {};
}

Result<> LogFile::read_at(uint64_t offset, std::span<char> out) const {
  while (!out.empty()) {
    const ssize_t got = ::pread(descriptor_, out.data(), out.size(), static_cast<off_t>(offset));
    if (got < 0) {
      if (errno == EINTR) continue;
      return std::unexpected(disk_error("read", path_, errno));
    }
    if (got == 0) return fail(ErrorKind::Invalid, path_.string() + " ends too early");
    offset += static_cast<uint64_t>(got);
    out = out.subspan(static_cast<size_t>(got));
  }
  return {};
}

Result<std::string> LogFile::read_all(uint64_t limit) const {
  struct stat status{};
  if (::fstat(descriptor_, &status) != 0) return std::unexpected(disk_error("read", path_, errno));
  const auto size = static_cast<uint64_t>(status.st_size);
  if (size > limit) {
    return fail(ErrorKind::Invalid, fmt::format("{} has {} bytes, which no file of a log has; "
                                                "move it away",
                                                path_.string(), size));
  }
  std::string out(size, '\0');
  TRY(read_at(0, out));
  return out;
}

Result<> LogFile::truncate(uint64_t size) {
  if (::ftruncate(descriptor_, static_cast<off_t>(size)) == 0) return {};
  return std::unexpected(disk_error("cut", path_, errno));
}

Result<> LogFile::sync() {
  if (::fdatasync(descriptor_) == 0) return {};
  return std::unexpected(disk_error("sync", path_, errno));
}

}  // namespace sonde
