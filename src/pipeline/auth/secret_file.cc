// SPDX-License-Identifier: Apache-2.0
#include "pipeline/auth/secret_file.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>
#include <utility>

#include "base/log.h"

namespace sonde::pipeline {

Result<std::string> read_secret_file(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"),
                                                             std::fclose);
  if (!file) {
    return fail(ErrorKind::NotFound,
                fmt::format("cannot read {}: {}", path, std::generic_category().message(errno)));
  }
  std::string text(kMaxSecretFile + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0) {
    return fail(ErrorKind::NotFound, fmt::format("cannot read {}", path));
  }
  if (text.size() > kMaxSecretFile) {
    return fail(ErrorKind::Invalid, fmt::format("{} is larger than 1 MiB", path));
  }
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string::npos) return fail(ErrorKind::Invalid, path + " is empty");
  return text.substr(first, text.find_last_not_of(kSpace) + 1 - first);
}

Result<> SecretFile::start(Scheduler& scheduler, std::string path, Changed changed) {
  path_ = std::move(path);
  changed_ = std::move(changed);
  // Looked at before it is read: what is written in between is seen the next time.
  seen_ = mark();
  value_ = TRY(read_secret_file(path_));
  changed_(value_);
  timer_.start(scheduler, std::chrono::seconds(1), [this] { look(); });
  return {};
}

SecretFile::Mark SecretFile::mark() const {
  struct stat found{};
  if (::stat(path_.c_str(), &found) != 0) return {};
  return {found.st_dev, found.st_ino, found.st_size, found.st_mtim.tv_sec, found.st_mtim.tv_nsec};
}

void SecretFile::look() {
  const Mark now = mark();
  if (now == seen_) return;
  seen_ = now;
  auto read = read_secret_file(path_);
  if (!read) return log_warn("{}; the value before it stays in use", read.error().message);
  if (*read == value_) return;
  value_ = std::move(*read);
  log_info("{} was read again", path_);
  changed_(value_);
}

}  // namespace sonde::pipeline
