// SPDX-License-Identifier: Apache-2.0
#include "components/receiver/otlpjsonfile/file_attributes.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>

#include <array>
#include <filesystem>

namespace sonde::otlpjsonfile {
namespace {

std::string owner_name(uid_t uid) {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  ::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found);
  return found ? found->pw_name : "";
}

std::string group_name(gid_t gid) {
  std::array<char, 4096> buffer{};
  group entry{};
  group* found = nullptr;
  ::getgrgid_r(gid, &entry, buffer.data(), buffer.size(), &found);
  return found ? found->gr_name : "";
}

}  // namespace

FileAttributes attributes_of(const std::string& path, const Settings& settings) {
  namespace fs = std::filesystem;
  FileAttributes out;
  const auto add = [&](bool wanted, const char* key, const auto& make) {
    if (!wanted) return;
    std::string value = make();
    if (!value.empty()) out.emplace_back(key, std::move(value));
  };
  const auto resolved = [&] {
    std::error_code error;
    const fs::path real = fs::canonical(path, error);
    return error ? fs::path() : real;
  };
  struct stat status{};
  const bool known = ::stat(path.c_str(), &status) == 0;
  add(settings.include_file_name, "log.file.name",
      [&] { return fs::path(path).filename().string(); });
  add(settings.include_file_path, "log.file.path", [&] { return path; });
  add(settings.include_file_name_resolved, "log.file.name_resolved",
      [&] { return resolved().filename().string(); });
  add(settings.include_file_path_resolved, "log.file.path_resolved",
      [&] { return resolved().string(); });
  add(settings.include_file_owner_name && known, "log.file.owner.name",
      [&] { return owner_name(status.st_uid); });
  add(settings.include_file_owner_group_name && known, "log.file.owner.group.name",
      [&] { return group_name(status.st_gid); });
  add(settings.include_file_permissions && known, "log.file.permissions",
      [&] { return fmt::format("{:03o}", status.st_mode & 0777); });
  return out;
}

}  // namespace sonde::otlpjsonfile
