// SPDX-License-Identifier: Apache-2.0
// How far a file was read, with what is needed to know the file again: its inode, a hash of its
// beginning, and a hash of what was read last, so that two files that begin alike, as those of one
// program do, are not taken for one. Offsets are of decompressed bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "components/receiver/otlpjsonfile/file_source.h"

namespace sonde::otlpjsonfile {

inline constexpr size_t kTailSize = 1000;

// FNV-1a of 64 bits: quick, and nobody gains by two files that look like one to us.
class ContentHash {
 public:
  void add(std::string_view bytes) {
    for (const char c : bytes) value_ = (value_ ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  }
  uint64_t value() const { return value_; }
  static uint64_t of(std::string_view bytes) {
    ContentHash hash;
    hash.add(bytes);
    return hash.value();
  }

 private:
  uint64_t value_ = 0xcbf29ce484222325;
};

struct Position {
  FileKey file;
  uint64_t offset = 0;     // Where the first line begins that was not taken.
  uint32_t head_size = 0;  // How much of the beginning is hashed.
  uint64_t head = 0;
  uint32_t tail_size = 0;  // How much before the offset is hashed.
  uint64_t tail = 0;

  std::string encode() const;
  // Nothing where the bytes are none.
  static std::optional<Position> decode(std::string_view bytes);
  friend bool operator==(const Position&, const Position&) = default;
};

// The beginning of a file as it is now: asks whether a position is of it.
class FileHead {
 public:
  // At most `size` bytes of it. Whatever cannot be read is as if it were not there.
  FileHead(FileSource& source, size_t size);

  bool empty() const { return bytes_.empty(); }
  // Whether the file begins as that of the position did.
  bool begins_as(const Position& position) const {
    return position.head_size > 0 && position.head_size <= bytes_.size() &&
           prefixes_[position.head_size] == position.head;
  }
  void store_in(Position& position) const;
  std::string_view bytes() const { return bytes_; }

 private:
  std::string bytes_;
  std::vector<uint64_t> prefixes_;  // The hash of so many bytes.
};

// What stands in [from, from + size), or less where the file is shorter.
std::string content_at(FileSource& source, uint64_t from, size_t size);
// Whether what stands before the offset is what was read there. False where the file ends before.
bool ends_as(FileSource& source, const Position& position);
// Sets the tail from what stands before the offset.
void store_tail(FileSource& source, Position& position);

}  // namespace sonde::otlpjsonfile
