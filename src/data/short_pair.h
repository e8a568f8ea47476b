// SPDX-License-Identifier: Apache-2.0
// An attribute as nearly every writer sends it: a tag of one byte, then a KeyValue that is a short
// key followed by a short value that ends where the pair ends. Its tags and lengths are judged a
// word at a time, for the loops of this room that pass over most attributes of most items. What
// has any other shape is for the Reader. Private to this room.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace sonde {

// The first four bytes of such an attribute: tag, length, tag of the key, length of the key.
struct ShortPair {
  uint32_t head = 0;  // 0: it is not one.

  uint32_t size() const { return 2 + (head >> 8 & 0x7f); }  // Of the whole field.
  uint32_t key_size() const { return head >> 24; }
  static constexpr uint32_t kKeyBegin = 4;
  uint32_t value_begin() const { return kKeyBegin + key_size() + 2; }

  // At least six bytes must lie between `at` and `end`.
  [[gnu::always_inline]] static ShortPair read(const char* at, const char* end, uint32_t tag) {
    uint32_t head = 0;
    std::memcpy(&head, at, 4);
    if ((head & 0x80ff80ff) != (tag | 0x000a0000)) return {};
    const uint32_t size = head >> 8 & 0x7f;
    const uint32_t key = head >> 24;
    if (at + 2 + size > end || key + 4 > size) return {};
    const uint32_t rest = size - 4 - key;  // What a value has that ends where the pair ends.
    uint16_t value = 0;
    std::memcpy(&value, at + 4 + key, 2);
    return {value == (rest << 8 | 0x12) ? head : 0};
  }
};

// Keys are short and mostly differ early: two overlapping words decide up to sixteen bytes.
inline bool same_key(const char* a, const char* b, size_t size) {
  if (size < 8 || size > 16) return std::memcmp(a, b, size) == 0;
  const auto load = [](const char* at) {
    uint64_t word = 0;
    std::memcpy(&word, at, 8);
    return word;
  };
  return ((load(a) ^ load(b)) | (load(a + size - 8) ^ load(b + size - 8))) == 0;
}

}  // namespace sonde
