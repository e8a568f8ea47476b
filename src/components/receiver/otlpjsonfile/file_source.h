// SPDX-License-Identifier: Apache-2.0
// An open file, read at offsets of its content: what lies in it, or where it is compressed with
// gzip (RFC 1952), what comes out of all its members. It may grow, and shrink, at any time.
#pragma once

#include <sys/stat.h>

#include <compare>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

namespace sonde::otlpjsonfile {

// Of the file system: what a file keeps when it gets another name.
struct FileKey {
  uint64_t device = 0;
  uint64_t inode = 0;
  friend auto operator<=>(const FileKey&, const FileKey&) = default;
};

struct FileFacts {
  FileKey key;
  uint64_t size = 0;  // On disk.
  int64_t written_ns = 0;
  bool regular = false;
  bool named = true;  // False when it was deleted.

  static FileFacts of(const struct stat& status);
  // Whether nobody wrote to it between the two.
  bool same_content(const FileFacts& other) const {
    return size == other.size && written_ns == other.written_ns;
  }
};

class FileSource {
 public:
  enum class Kind : uint8_t { Plain, Gzip, Either };

  // Either is decided by the first two bytes. An error says why it cannot be opened.
  static Result<std::unique_ptr<FileSource>> open(const std::string& path, Kind kind);
  ~FileSource();
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  Result<FileFacts> facts() const;
  bool compressed() const { return inflater_ != nullptr; }

  struct Got {
    size_t bytes = 0;
    bool end = false;      // There is no more for now.
    bool changed = false;  // For callers: what was read before is not there any more.
  };
  // Appends some of what stands at the offset, at most `most` bytes. It does a bounded amount of
  // work, so it may give nothing while it comes to the offset of a compressed file. Going back in
  // one, to before `keep_from`, begins at its start again. An error (Invalid): it is compressed and
  // damaged.
  Result<Got> read(uint64_t offset, size_t most, uint64_t keep_from, std::string& out);

  // A shared lock (flock); false when somebody else has an exclusive one.
  bool lock();
  void unlock();
  // Tells the system that nobody will read this again soon.
  void forget_cached();

 private:
  struct Inflater;
  explicit FileSource(int fd);
  Result<Got> inflate(uint64_t offset, size_t most, uint64_t keep_from, std::string& out);

  const int fd_;
  std::unique_ptr<Inflater> inflater_;
};

}  // namespace sonde::otlpjsonfile
