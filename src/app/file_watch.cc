// SPDX-License-Identifier: Apache-2.0
#include "app/file_watch.h"

#include <sys/stat.h>

#include <utility>

namespace sonde::app {

FileStamp stamp_of(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return {};
  const auto ns = [](const timespec& t) { return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec; };
  return {status.st_dev, status.st_ino, static_cast<uint64_t>(status.st_size), ns(status.st_mtim),
          ns(status.st_ctim)};
}

void note_files(config::Providers& providers, FileStamps& into) {
  const auto at = providers.find("file");
  if (at == providers.end()) return;
  at->second = [inner = std::move(at->second), &into](std::string_view path) {
    const std::string name(path);
    into.try_emplace(name, stamp_of(name));
    return inner(path);
  };
}

void FileChanges::expect(FileStamps stamps) {
  expected_ = std::move(stamps);
  seen_.clear();
}

std::string FileChanges::look() {
  FileStamps now;
  for (const auto& [path, stamp] : expected_) now.emplace(path, stamp_of(path));
  const bool settled = now == seen_;
  seen_ = std::move(now);
  if (!settled || seen_ == expected_) return {};
  std::string changed;
  for (const auto& [path, stamp] : expected_) {
    if (changed.empty() && seen_[path] != stamp) changed = path;
  }
  expected_ = seen_;
  return changed;
}

}  // namespace sonde::app
