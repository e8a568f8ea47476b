// SPDX-License-Identifier: Apache-2.0
#include "components/exporter/file/rotating_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <utility>
#include <vector>

#include "base/log.h"

namespace sonde::file_exporter {
namespace {

constexpr int64_t kDayMs = int64_t{24} * 3600 * 1000;

std::unexpected<Error> system_error(const std::string& path, std::string_view what) {
  const bool name = errno == ENAMETOOLONG || errno == EISDIR || errno == ENOTDIR ||
                    errno == ELOOP || errno == EINVAL;
  return fail(name ? ErrorKind::Invalid : ErrorKind::Unavailable,
              fmt::format("{}: {}: {}", path, what, std::strerror(errno)));
}

// "2022-09-14T05-02-14.173": to milliseconds since 1970; nothing where it is something else.
std::optional<int64_t> read_time(const std::string& text, bool local) {
  std::tm parts{};
  int ms = 0;
  int used = 0;
  if (std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d-%2d-%2d.%3d%n", &parts.tm_year, &parts.tm_mon,
                  &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &ms, &used) != 7 ||
      static_cast<size_t>(used) != text.size())
    return std::nullopt;
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  parts.tm_isdst = -1;
  const time_t seconds = local ? std::mktime(&parts) : ::timegm(&parts);
  return int64_t{seconds} * 1000 + ms;
}

}  // namespace

RotatingFile::~RotatingFile() {
  if (fd_ >= 0) ::close(fd_);
}

Result<> RotatingFile::open(bool keep) {
  TRY(reopen(!keep && !rotation_));
  if (const uint64_t end = whole(size_); end < size_) {
    log_warn("{}: cut {} bytes of a message that was being written", path_, size_ - end);
    TRY(cut(end));
  }
  if (rotation_) clean_up();
  return {};
}

Result<> RotatingFile::reopen(bool truncate) {
  // Read, too: to find the end of the last message.
  const int flags = O_CREAT | O_CLOEXEC | (truncate ? O_TRUNC : 0);
  fd_ = ::open(path_.c_str(), O_RDWR | flags, 0644);
  if (fd_ < 0) fd_ = ::open(path_.c_str(), O_WRONLY | flags, 0644);
  if (fd_ < 0) return system_error(path_, "cannot be opened for writing");
  const off_t end = ::lseek(fd_, 0, SEEK_END);
  // What has no end (a pipe, a terminal) has no size either.
  size_ = end > 0 ? static_cast<uint64_t>(end) : 0;
  return {};
}

uint64_t RotatingFile::whole(uint64_t size) const {
  if (framing_ == Framing::Lengths) {
    uint64_t at = 0;
    for (std::array<uint8_t, 4> length{};;) {
      if (::pread(fd_, length.data(), 4, static_cast<off_t>(at)) != 4) break;
      uint64_t next = at + 4;
      for (size_t i = 0; i < 4; ++i) next += uint64_t{length[i]} << (24 - 8 * i);
      if (next > size) break;
      at = next;
    }
    return at;
  }
  std::string piece(64 << 10, '\0');
  for (uint64_t end = size; end > 0;) {
    const size_t part = std::min<uint64_t>(end, piece.size());
    // What cannot be read is left as it is.
    if (::pread(fd_, piece.data(), part, static_cast<off_t>(end - part)) !=
        static_cast<ssize_t>(part))
      return size;
    const size_t newline = std::string_view(piece).substr(0, part).rfind('\n');
    if (newline != std::string_view::npos) return end - part + newline + 1;
    end -= part;
  }
  return 0;
}

void RotatingFile::take_over(RotatingFile& other) {
  fd_ = std::exchange(other.fd_, -1);
  size_ = other.size_;
  last_backup_ms_ = other.last_backup_ms_;
}

Result<> RotatingFile::write(std::string_view message) {
  if (rotation_ && !too_long_to_rotate_ && size_ > 0 &&
      size_ + message.size() >
          static_cast<uint64_t>(rotation_->max_megabytes > 0 ? rotation_->max_megabytes : 100)
              << 20)
    TRY(rotate());
  if (fd_ < 0) return fail(ErrorKind::Unavailable, path_ + ": it is not open");
  size_t done = 0;
  while (done < message.size()) {
    const ssize_t wrote = ::write(fd_, message.data() + done, message.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) {
      auto error = system_error(path_, "cannot be written");
      if (done > 0 && !cut(size_))
        log_error("{}: a message that was written in part could not be cut off", path_);
      return error;
    }
    done += static_cast<size_t>(wrote);
  }
  last_message_ = std::exchange(size_, size_ + message.size());
  return {};
}

Result<> RotatingFile::cut(uint64_t size) {
  if (::ftruncate(fd_, static_cast<off_t>(size)) != 0 ||
      ::lseek(fd_, static_cast<off_t>(size), SEEK_SET) < 0)
    return system_error(path_, "cannot be cut off");
  size_ = size;
  return {};
}

std::string RotatingFile::backup_name(int64_t unix_ms) const {
  const time_t seconds = unix_ms / 1000;
  std::tm parts{};
  rotation_->localtime ? ::localtime_r(&seconds, &parts) : ::gmtime_r(&seconds, &parts);
  const std::filesystem::path path(path_);
  const std::string name =
      fmt::format("{}-{:04}-{:02}-{:02}T{:02}-{:02}-{:02}.{:03}{}", path.stem().string(),
                  parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
                  parts.tm_min, parts.tm_sec, unix_ms % 1000, path.extension().string());
  return (path.parent_path() / name).string();
}

Result<> RotatingFile::rotate() {
  // Two within a millisecond must not fall on each other, nor the later be taken for the older.
  int64_t now = std::max(clock_.unix_ns() / 1'000'000, last_backup_ms_ + 1);
  std::string backup = backup_name(now);
  // What cannot be looked at cannot be renamed to either, and the errno of that tells more.
  for (std::error_code error; std::filesystem::exists(backup, error);) backup = backup_name(++now);
  last_backup_ms_ = now;
  // Where somebody else removed it there is nothing to put aside.
  if (::rename(path_.c_str(), backup.c_str()) != 0 && errno != ENOENT) {
    if (errno != ENAMETOOLONG) return system_error(path_, "cannot be renamed");
    // With group_by a peer chose the name; what it sends is worth more than the bound.
    log_warn("{}: grows over its limit, as its name is too long to get a time into it", path_);
    too_long_to_rotate_ = true;
    return {};
  }
  const int old = std::exchange(fd_, -1);
  auto opened = reopen(false);
  if (!opened) {
    // Better the old file under its new name than none.
    fd_ = old;
    return opened;
  }
  ::close(old);
  clean_up();
  return {};
}

void RotatingFile::clean_up() const {
  const std::filesystem::path path(path_);
  const std::string stem = path.stem().string() + "-";
  const std::string extension = path.extension().string();
  std::vector<std::pair<int64_t, std::filesystem::path>> backups;
  std::error_code error;
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(stem) || !name.ends_with(extension) ||
        name.size() <= stem.size() + extension.size())
      continue;
    std::string time_of = name.substr(stem.size(), name.size() - stem.size() - extension.size());
    // Those of the Collector have the reason behind the time.
    for (const std::string_view reason : {"-size", "-time", "-manual"}) {
      if (time_of.ends_with(reason)) time_of.resize(time_of.size() - reason.size());
    }
    const auto time = read_time(time_of, rotation_->localtime);
    if (time) backups.emplace_back(*time, entry->path());
  }
  if (error) log_warn("{}: cannot be looked through: {}", folder.string(), error.message());
  std::ranges::sort(backups, std::greater<>());
  const int64_t oldest = clock_.unix_ns() / 1'000'000 - rotation_->max_days * kDayMs;
  for (size_t i = 0; i < backups.size(); ++i) {
    const bool many =
        rotation_->max_backups > 0 && i >= static_cast<size_t>(rotation_->max_backups);
    const bool aged = rotation_->max_days > 0 && backups[i].first < oldest;
    if (!many && !aged) continue;
    std::filesystem::remove(backups[i].second, error);
    if (error) log_warn("{}: cannot be removed: {}", backups[i].second.string(), error.message());
  }
}

}  // namespace sonde::file_exporter
