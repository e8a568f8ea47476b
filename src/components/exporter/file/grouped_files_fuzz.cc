// SPDX-License-Identifier: Apache-2.0
// Any text that a peer puts into the attribute that names a file: whatever it is, the file lies in
// the folder that the path names before its *.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/virtual_scheduler.h"
#include "components/exporter/file/grouped_files.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view segment(reinterpret_cast<const char*>(data), size);
  static const sonde::VirtualScheduler scheduler;
  for (const auto& [path, folder] :
       {std::pair("/var/log/*.json", "/var/log/"), std::pair("/var/log/a-*", "/var/log/"),
        std::pair("logs/*/data", "logs/"), std::pair("/*", "/")}) {
    const sonde::file_exporter::Settings settings{.path = path};
    const sonde::file_exporter::GroupedFiles files(settings, scheduler.clock());
    const auto found = files.path_of(segment);
    if (!found) {
      CHECK(segment.contains('\0'), "refused a text without a zero byte");
      continue;
    }
    // The folder itself is no file, and is found to be none when it is opened.
    const bool itself = *found + "/" == folder || *found == folder;
    CHECK(itself || found->starts_with(folder), "left its folder");
    CHECK(*found == std::filesystem::path(*found).lexically_normal(), "goes up and down");
    CHECK(!found->contains('\0'), "a path with a zero byte");
  }
  return 0;
}
