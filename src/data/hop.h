// SPDX-License-Identifier: Apache-2.0
// Hopping over the fields of a message from length to length, for the walks of this room that care
// for one field number and want to be quick about the rest. Private to count.cc and rewrite.cc.
#pragma once

#include <cstdint>
#include <string_view>

#include "data/wire.h"

namespace sonde::proto {

// Calls back with each field of this number (below 16) that has a length: `field` with its tag, and
// its payload; `other` gets every other field. The one that is looked for is nearly all there are,
// so it is taken by hand. A callback that returns false ends the walk. False when the bytes do not
// parse, or when a callback said so.
template <class Mine, class Other>
[[gnu::always_inline]] inline bool hop(std::string_view body, uint32_t number, Mine&& mine,
                                       Other&& other) {
  const char* at = body.data();
  const char* const end = at + body.size();
  const auto tag = static_cast<char>(tag_of(number, Type::Bytes));
  while (at < end) {
    if (*at == tag) {
      const char* const begin = at;
      uint64_t size = 0;
      // Items of 128 bytes to 16 KiB are most of what there is.
      if (end - at >= 3 && at[1] < 0 && at[2] >= 0) {
        size = static_cast<uint64_t>(at[1] & 0x7f) | static_cast<uint64_t>(at[2]) << 7;
        at += 3;
      } else {
        at = read_varint(at + 1, end, size);
        if (at == nullptr) return false;
      }
      if (size > static_cast<uint64_t>(end - at)) return false;
      const std::string_view payload(at, static_cast<size_t>(size));
      at += size;
      if (!mine(std::string_view(begin, static_cast<size_t>(at - begin)), payload)) return false;
    } else {
      Reader reader({at, static_cast<size_t>(end - at)});
      Field field;
      if (!reader.next(field)) return false;
      at = reader.position();
      // The same tag may be written longer than it need be.
      if (field.number == number && field.type == Type::Bytes) {
        if (!mine(field.raw, field.bytes)) return false;
      } else {
        other(field);
      }
    }
  }
  return true;
}

}  // namespace sonde::proto
