// SPDX-License-Identifier: Apache-2.0
// The bytes of one segment of a SegmentLog, and what can be read from them when they are damaged.
//
//   segment  "SONDELOG" version:u32 crc32c(the 12 bytes before):u32  record*
//   record   length:u32 crc32c(payload):u32 crc32c(length, payload's sum, segment, offset):u32
//   payload marks    (offset:u32 crc32c(segment, offset):u32)*      in a file of its own: records
//   finished
//
// Integers are little-endian. The sum of a record's head covers where it stands, so that a stale or
// moved head is none, and so that after damage the next record is found by looking at every byte.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sonde {

inline constexpr uint32_t kSegmentHeadBytes = 16;
inline constexpr uint32_t kRecordHeadBytes = 12;
inline constexpr uint32_t kMarkBytes = 8;
// What a record may hold. Whoever appends more is refused; a longer length is damage.
inline constexpr uint32_t kMaxRecordBytes = 256U << 20;

std::string segment_head();
std::string record_head(uint64_t segment, uint32_t offset, uint32_t length, uint32_t payload_sum);
std::string finished_mark(uint64_t segment, uint32_t offset);

struct RecordHead {
  uint32_t length = 0;
  uint32_t payload_sum = 0;
};
// False when these 12 bytes are no head of a record at this place.
bool read_record_head(std::string_view bytes, uint64_t segment, uint32_t offset, RecordHead& head);

struct SegmentRecord {
  uint32_t offset = 0;  // Of the head.
  uint32_t length = 0;  // Of the payload.
};
struct SegmentContent {
  std::vector<SegmentRecord> records;  // Whole ones, in their order.
  uint32_t end = 0;                    // Where the last whole record ends.
  uint32_t damages = 0;                // Runs of bytes before `end` that are no record.
  uint64_t damaged_bytes = 0;          // How many bytes they have, a damaged segment head included.
};
// What lies behind `end` was being written when the process or the machine died, or is damaged too.
// Takes time in proportion to the bytes, whatever they are. At most 4 GiB.
SegmentContent read_segment(uint64_t segment, std::string_view bytes);

// The offsets that are marked, ascending, each once. A damaged mark is left out.
std::vector<uint32_t> read_marks(uint64_t segment, std::string_view bytes);

}  // namespace sonde
