// SPDX-License-Identifier: Apache-2.0
#include "components/exporter/file/rotating_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
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

Result<> RotatingFile::open(bool keep, std::optional<uint64_t> whole) {
  TRY(reopen(!keep && !rotation_));
  if (size_ != whole) TRY(mend());
  if (rotation_) clean_up();
  return {};
}

Result<> RotatingFile::mend() {
  const FileEnd end = find_end(fd_, size_, framing_);
  switch (end.kind) {
    case FileEnd::Kind::Whole:
      break;
    case FileEnd::Kind::Torn:
      log_warn("{}: cut {} bytes of a message that was being written", path_, size_ - end.whole);
      return cut(end.whole);
    case FileEnd::Kind::Unended:
      log_warn("{}: ended a last line of {} bytes that had no end", path_, size_ - end.whole);
      return append("\n");
    case FileEnd::Kind::Foreign:
      auto aside = put_aside("-unreadable");
      if (!aside) {
        return fail(ErrorKind::Invalid,
                    fmt::format("{}: it is not of this format after {} bytes, and cannot be put "
                                "aside: move it away or write to another path: {}",
                                path_, end.whole, aside.error().message));
      }
      log_warn("{}: it is not of this format after {} bytes: put aside as {}", path_, end.whole,
               *aside);
  }
  return {};
}

Result<> RotatingFile::reopen(bool truncate) {
  // Read, too: to find the end of the last message.
  // Each message goes to the end, also where somebody else cut the file in between.
  const int flags = O_APPEND | O_CREAT | O_CLOEXEC | (truncate ? O_TRUNC : 0);
  fd_ = ::open(path_.c_str(), O_RDWR | flags, 0644);
  if (fd_ < 0) fd_ = ::open(path_.c_str(), O_WRONLY | flags, 0644);
  if (fd_ < 0) return system_error(path_, "cannot be opened for writing");
  const off_t end = ::lseek(fd_, 0, SEEK_END);
  // What has no end (a pipe, a terminal) has no size either.
  size_ = end > 0 ? static_cast<uint64_t>(end) : 0;
  return {};
}

void RotatingFile::take_over(RotatingFile& other) {
  fd_ = std::exchange(other.fd_, -1);
  size_ = other.size_;
  last_backup_ms_ = other.last_backup_ms_;
  if (framing_ == other.framing_) return;
  if (const auto mended = mend(); !mended) log_error("{}", mended.error().message);
}

void RotatingFile::look_at_size() {
  struct stat now{};
  if (fd_ >= 0 && ::fstat(fd_, &now) == 0 && S_ISREG(now.st_mode))
    size_ = static_cast<uint64_t>(now.st_size);
}

Result<> RotatingFile::write(std::string_view message) {
  look_at_size();
  if (rotation_ && !no_backup_name_ && size_ > 0 &&
      size_ + message.size() >
          static_cast<uint64_t>(rotation_->max_megabytes > 0 ? rotation_->max_megabytes : 100)
              << 20)
    TRY(rotate());
  if (fd_ < 0) return fail(ErrorKind::Unavailable, path_ + ": it is not open");
  return append(message);
}

Result<> RotatingFile::append(std::string_view message) {
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

std::string RotatingFile::backup_name(int64_t unix_ms, std::string_view what) const {
  const time_t seconds = unix_ms / 1000;
  std::tm parts{};
  rotation_ && rotation_->localtime ? ::localtime_r(&seconds, &parts)
                                    : ::gmtime_r(&seconds, &parts);
  const std::filesystem::path path(path_);
  const std::string name =
      fmt::format("{}-{:04}-{:02}-{:02}T{:02}-{:02}-{:02}.{:03}{}{}", path.stem().string(),
                  parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
                  parts.tm_min, parts.tm_sec, unix_ms % 1000, what, path.extension().string());
  return (path.parent_path() / name).string();
}

Result<std::string> RotatingFile::put_aside(std::string_view what) {
  // Two within a millisecond must not fall on each other, nor the later be taken for the older.
  int64_t now = std::max(clock_.unix_ns() / 1'000'000, last_backup_ms_ + 1);
  std::string backup = backup_name(now, what);
  // What cannot be looked at cannot be renamed to either, and the errno of that tells more.
  for (std::error_code error; std::filesystem::exists(backup, error);)
    backup = backup_name(++now, what);
  last_backup_ms_ = now;
  // Where somebody else removed it there is nothing to put aside.
  if (::rename(path_.c_str(), backup.c_str()) != 0 && errno != ENOENT)
    return system_error(path_, "cannot be renamed to have a time in its name");
  const int old = std::exchange(fd_, -1);
  if (auto opened = reopen(false); !opened) {
    // Better the old file under its new name than none.
    fd_ = old;
    return std::unexpected(std::move(opened.error()));
  }
  ::close(old);
  return backup;
}

Result<> RotatingFile::rotate() {
  const auto aside = put_aside("");
  // With group_by a peer chose the name; what it sends is worth more than the bound.
  if (!aside && aside.error().kind == ErrorKind::Invalid) {
    log_warn("{}: it grows over its limit", aside.error().message);
    no_backup_name_ = true;
    return {};
  }
  if (!aside) return std::unexpected(aside.error());
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
