// SPDX-License-Identifier: Apache-2.0
// Which files of a directory the process of a test holds open.
#pragma once

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

namespace sonde {

// What this process has a descriptor of below the directory, sorted: a path for each descriptor, of
// files that are deleted and of the directory itself too. Not thread-safe: other threads that open
// and close files meanwhile may be seen or missed.
inline std::vector<std::filesystem::path> open_files_below(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> open;
  for (const auto& descriptor : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    auto target = std::filesystem::read_symlink(descriptor.path(), gone);
    if (target.string().starts_with(directory.string())) open.push_back(std::move(target));
  }
  std::ranges::sort(open);
  return open;
}

}  // namespace sonde
