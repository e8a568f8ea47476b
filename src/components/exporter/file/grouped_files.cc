// SPDX-License-Identifier: Apache-2.0
#include "components/exporter/file/grouped_files.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <functional>

namespace sonde::file_exporter {
namespace {

namespace fs = std::filesystem;

// Without `.`, `..` and doubled slashes, by the text alone; what climbs over the root stays there.
std::string clean(const std::string& path) {
  std::string out = fs::path(path).lexically_normal().string();
  if (out.empty()) return "/";
  // A slash at the end would make it a folder.
  while (out.size() > 1 && out.ends_with('/')) out.pop_back();
  return out;
}

uint64_t hash_of(const std::string& path) { return std::hash<std::string>()(path); }

}  // namespace

Result<> make_folders(const std::string& path, uint32_t mode) {
  fs::path so_far;
  for (const fs::path& part : fs::path(path)) {
    so_far /= part;
    if (::mkdir(so_far.c_str(), mode) == 0 || errno == EEXIST) continue;
    const int why = errno;
    std::error_code ignored;
    // A read-only file system says so of directories that exist.
    if (fs::is_directory(so_far, ignored)) continue;
    const bool name = why == ENAMETOOLONG || why == ENOTDIR || why == ELOOP;
    return fail(name ? ErrorKind::Invalid : ErrorKind::Unavailable,
                fmt::format("{}: cannot be made: {}", so_far.string(), std::strerror(why)));
  }
  return {};
}

GroupedFiles::GroupedFiles(const Settings& settings, const Clock& clock)
    : settings_(settings), clock_(clock) {
  const size_t star = settings.path.find('*');
  const std::string before = settings.path.substr(0, star);
  prefix_ = clean(before);
  if (before.ends_with('/') && !prefix_.ends_with('/')) prefix_ += '/';
  suffix_ = settings.path.substr(star + 1);
}

Result<std::string> GroupedFiles::path_of(std::string_view segment) const {
  if (segment.contains('\0'))
    return fail(ErrorKind::Invalid, "a path cannot hold a zero byte, as its attribute does");
  if (segment.starts_with("./")) segment.remove_prefix(1);
  if (segment.starts_with("../")) segment.remove_prefix(2);
  const std::string direct = clean(prefix_ + std::string(segment) + suffix_);
  if (direct.starts_with(prefix_)) return direct;
  return clean(prefix_ + clean("/" + std::string(segment) + suffix_));
}

Result<RotatingFile*> GroupedFiles::file(const std::string& path) {
  if (const auto open = files_.find(path); open != files_.end()) {
    recent_.splice(recent_.begin(), recent_, open->second);
    return recent_.front().file.get();
  }
  TRY(make_folders(fs::path(path).parent_path().string(), *settings_.permissions()));
  while (recent_.size() >= static_cast<size_t>(settings_.group_by.max_open_files)) close_oldest();
  auto made = std::make_unique<RotatingFile>(path, settings_.rotation, clock_, settings_.framing());
  // What this process wrote is not thrown away because it was closed in between.
  const auto begun = begun_.find(hash_of(path));
  const bool known = begun != begun_.end();
  TRY(made->open(known || settings_.append || begun_.size() >= kMostBegun,
                 known ? std::optional(begun->second) : std::nullopt));
  recent_.push_front({path, std::move(made)});
  files_[path] = recent_.begin();
  return recent_.front().file.get();
}

void GroupedFiles::close_oldest() {
  const uint64_t hash = hash_of(recent_.back().path);
  if (begun_.size() < kMostBegun || begun_.contains(hash))
    begun_[hash] = recent_.back().file->size();
  files_.erase(recent_.back().path);
  recent_.pop_back();
}

void GroupedFiles::take_over(GroupedFiles& other) {
  while (!other.recent_.empty()) other.close_oldest();
  begun_ = std::move(other.begun_);
  // What was written in another way is looked at: no file is as large as this.
  if (other.settings_.framing() != settings_.framing())
    for (auto& [hash, size] : begun_) size = UINT64_MAX;
}

}  // namespace sonde::file_exporter
