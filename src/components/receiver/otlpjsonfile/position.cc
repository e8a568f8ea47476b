// SPDX-License-Identifier: Apache-2.0
#include "components/receiver/otlpjsonfile/position.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace sonde::otlpjsonfile {
namespace {

constexpr uint64_t kVersion = 1;
using Words = std::array<uint64_t, 8>;

}  // namespace

std::string content_at(FileSource& source, uint64_t from, size_t size) {
  std::string out;
  while (out.size() < size) {
    const auto got = source.read(from + out.size(), size - out.size(), from, out);
    if (!got || got->end) break;
  }
  return out;
}

std::string Position::encode() const {
  const Words words{kVersion, file.device, file.inode, offset, head_size, head, tail_size, tail};
  return {reinterpret_cast<const char*>(words.data()), sizeof words};
}

std::optional<Position> Position::decode(std::string_view bytes) {
  Words words{};
  if (bytes.size() != sizeof words) return std::nullopt;
  std::memcpy(words.data(), bytes.data(), sizeof words);
  if (words[0] != kVersion || words[4] > UINT32_MAX || words[6] > kTailSize) return std::nullopt;
  return Position{.file = {words[1], words[2]},
                  .offset = words[3],
                  .head_size = static_cast<uint32_t>(words[4]),
                  .head = words[5],
                  .tail_size = static_cast<uint32_t>(words[6]),
                  .tail = words[7]};
}

FileHead::FileHead(FileSource& source, size_t size) : bytes_(content_at(source, 0, size)) {
  ContentHash hash;
  prefixes_.reserve(bytes_.size() + 1);
  prefixes_.push_back(hash.value());
  for (size_t i = 0; i < bytes_.size(); ++i) {
    hash.add(std::string_view(bytes_).substr(i, 1));
    prefixes_.push_back(hash.value());
  }
}

void FileHead::store_in(Position& position) const {
  position.head_size = static_cast<uint32_t>(bytes_.size());
  position.head = prefixes_.back();
}

bool ends_as(FileSource& source, const Position& position) {
  if (position.tail_size == 0) return true;
  if (position.tail_size > position.offset) return false;
  const std::string text =
      content_at(source, position.offset - position.tail_size, position.tail_size);
  return text.size() == position.tail_size && ContentHash::of(text) == position.tail;
}

void store_tail(FileSource& source, Position& position) {
  const size_t size = std::min<uint64_t>(position.offset, kTailSize);
  const std::string text = content_at(source, position.offset - size, size);
  position.tail_size = static_cast<uint32_t>(text.size() == size ? size : 0);
  position.tail = ContentHash::of(text);
}

}  // namespace sonde::otlpjsonfile
