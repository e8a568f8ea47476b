// SPDX-License-Identifier: Apache-2.0
// Where the attributes of one message lie: their offsets, found in one pass over its fields. It is
// the innermost loop of every edit, private to message_edit.cc, and keeps its memory from message
// to message. Short attributes and short fields are taken by hand, everything else goes through the
// Reader, so what is accepted is what the Reader accepts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace sonde {

class AttributeSlots {
 public:
  // Finds the fields of this number, which is below 16, in a body of less than 2 GiB. False when
  // the fields of the body or of an attribute do not parse; what was found until then stays.
  bool read(std::string_view body, uint32_t field);
  void clear() { count_ = 0; }

  uint32_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  // Offsets into the body: the whole field with its tag, and the key within.
  uint32_t begin(uint32_t slot) const { return slots_[slot].begin; }
  uint32_t end(uint32_t slot) const {
    const Slot& of = slots_[slot];
    return (of.head & 0xff) != 0 ? of.begin + 2 + (of.head >> 8 & 0x7f) : others_[of.head >> 8].end;
  }
  uint32_t key_size(uint32_t slot) const {
    const Slot& of = slots_[slot];
    return (of.head & 0xff) != 0 ? of.head >> 24 : others_[of.head >> 8].key_size;
  }
  uint32_t key_begin(uint32_t slot) const {
    const Slot& of = slots_[slot];
    return (of.head & 0xff) != 0 ? of.begin + 4 : others_[of.head >> 8].key_begin;
  }
  // The first slot from this one on whose key this is; size() when there is none.
  uint32_t find(const char* body, std::string_view key, uint32_t from = 0) const;

 private:
  // Short attributes are told by their first four bytes: tag, length, tag of the key, length of
  // the key. What has another shape, or takes longer lengths, is told in others_.
  struct Slot {
    uint32_t begin;
    uint32_t head;  // Where the tag is 0: the number in others_, above that byte.
  };
  struct Other {
    uint32_t end;
    uint32_t key_begin;
    uint32_t key_size;
  };
  bool read_other(const char* body, std::string_view field, std::string_view pair);

  std::vector<Slot> slots_;  // As large as it ever had to be; count_ of them are in use.
  uint32_t count_ = 0;
  std::vector<Other> others_;
};

}  // namespace sonde
