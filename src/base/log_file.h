// SPDX-License-Identifier: Apache-2.0
// A file descriptor that closes itself, with whole reads and writes. Private to SegmentLog.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sonde {

// "cannot write /a/b: No space left on device". Exhausted where room is lacking.
Error disk_error(std::string_view what, const std::filesystem::path& path, int error_number);

class LogFile {
 public:
  // `flags` as of open(2).
  static Result<std::shared_ptr<LogFile>> open(const std::filesystem::path& path, int flags);
  LogFile(int descriptor, std::filesystem::path path)
      : descriptor_(descriptor), path_(std::move(path)) {}
  ~LogFile();
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  int descriptor() const { return descriptor_; }
  const std::filesystem::path& path() const { return path_; }

  // Everything, or an error; a part may then have been written.
  Result<> write_at(uint64_t offset, std::span<const std::string_view> parts);
  // Fills `out`; an error (Invalid) when the file ends before.
  Result<> read_at(uint64_t offset, std::span<char> out) const;
  // The whole file, at most `limit` bytes: more is an error.
  Result<std::string> read_all(uint64_t limit) const;
  Result<> truncate(uint64_t size);
  Result<> sync();

 private:
  const int descriptor_;
  const std::filesystem::path path_;
};

}  // namespace sonde
