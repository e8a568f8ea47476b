// SPDX-License-Identifier: Apache-2.0
#include "base/segment_file.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/crc32c.h"

namespace sonde {
namespace {

static_assert(std::endian::native == std::endian::little, "integers are copied as they lie");

constexpr std::string_view kMagic = "SONDELOG";
constexpr uint32_t kVersion = 1;

template <class T>
void put(std::string& out, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

uint32_t u32_at(std::string_view bytes, size_t offset) {
  uint32_t value = 0;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

// The sum of a head or mark: of its own words and of where it belongs.
uint32_t placed_sum(std::string_view words, uint64_t segment, uint32_t offset) {
  char place[sizeof segment + sizeof offset];
  std::memcpy(place, &segment, sizeof segment);
  std::memcpy(place + sizeof segment, &offset, sizeof offset);
  return crc32c({place, sizeof place}, crc32c(words));
}

}  // namespace

std::string segment_head() {
  std::string out(kMagic);
  put(out, kVersion);
  put(out, crc32c(out));
  return out;
}

std::string record_head(uint64_t segment, uint32_t offset, uint32_t length, uint32_t payload_sum) {
  std::string out;
  put(out, length);
  put(out, payload_sum);
  put(out, placed_sum(out, segment, offset));
  return out;
}

std::string finished_mark(uint64_t segment, uint32_t offset) {
  std::string out;
  put(out, offset);
  put(out, placed_sum(out, segment, offset));
  return out;
}

bool read_record_head(std::string_view bytes, uint64_t segment, uint32_t offset, RecordHead& head) {
  if (bytes.size() < kRecordHeadBytes) return false;
  head.length = u32_at(bytes, 0);
  head.payload_sum = u32_at(bytes, 4);
  return head.length <= kMaxRecordBytes &&
         u32_at(bytes, 8) == placed_sum(bytes.substr(0, 8), segment, offset);
}

SegmentContent read_segment(uint64_t segment, std::string_view bytes) {
  SegmentContent out;
  if (bytes.size() < kSegmentHeadBytes) return out;
  out.end = kSegmentHeadBytes;
  if (bytes.substr(0, kSegmentHeadBytes) != segment_head()) {
    ++out.damages;
    out.damaged_bytes += kSegmentHeadBytes;
  }
  size_t at = kSegmentHeadBytes;
  while (at < bytes.size()) {
    const auto offset = static_cast<uint32_t>(at);
    RecordHead head;
    const std::string_view rest = bytes.substr(at);
    if (!read_record_head(rest, segment, offset, head) ||
        head.length > rest.size() - kRecordHeadBytes) {
      ++at;
      continue;
    }
    // A head that is whole tells where the next record is, even when its payload is damaged.
    at += kRecordHeadBytes + size_t{head.length};
    if (crc32c(rest.substr(kRecordHeadBytes, head.length)) != head.payload_sum) continue;
    if (offset > out.end) {
      ++out.damages;
      out.damaged_bytes += offset - out.end;
    }
    out.records.push_back({offset, head.length});
    out.end = static_cast<uint32_t>(at);
  }
  return out;
}

std::vector<uint32_t> read_marks(uint64_t segment, std::string_view bytes) {
  std::vector<uint32_t> out;
  for (; bytes.size() >= kMarkBytes; bytes.remove_prefix(kMarkBytes)) {
    const uint32_t offset = u32_at(bytes, 0);
    if (u32_at(bytes, 4) == placed_sum(bytes.substr(0, 4), segment, offset)) out.push_back(offset);
  }
  std::ranges::sort(out);
  const auto [first, last] = std::ranges::unique(out);
  out.erase(first, last);
  return out;
}

}  // namespace sonde
