// SPDX-License-Identifier: Apache-2.0
// Segments and marks that somebody else wrote, or that were whole once. The first byte says which:
// the input as it is, or a segment made of records of the lengths that the input says, then changed
// where it says. What is read must lie inside, in order, with the right sums; and a log that opens
// these files goes on.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>

#include "base/crc32c.h"
#include "base/segment_file.h"
#include "base/segment_log.h"
#include "base/testing/temporary_directory.h"

using namespace sonde;

namespace {

void demand(bool holds) {
  if (!holds) std::abort();
}

// A whole segment out of some lengths, with changes: pairs of a place and a value.
std::string damaged_segment(std::string_view input) {
  std::string out = segment_head();
  const size_t records = input.empty() ? 0 : static_cast<uint8_t>(input[0]) % 8;
  for (size_t i = 0; i < records && i + 1 < input.size(); ++i) {
    const std::string payload(static_cast<uint8_t>(input[i + 1]), 'p');
    out += record_head(1, static_cast<uint32_t>(out.size()), static_cast<uint32_t>(payload.size()),
                       crc32c(payload));
    out += payload;
  }
  for (size_t i = records + 1; i + 2 < input.size(); i += 3) {
    const size_t place = static_cast<uint8_t>(input[i]) | static_cast<uint8_t>(input[i + 1]) << 8;
    if (place == 0xffff) {
      out.resize(out.size() - std::min<size_t>(out.size(), static_cast<uint8_t>(input[i + 2])));
    } else if (!out.empty()) {
      out[place % out.size()] = input[i + 2];
    }
  }
  return out;
}

void check_reading(std::string_view bytes) {
  const SegmentContent content = read_segment(1, bytes);
  demand(content.end <= bytes.size());
  uint64_t at = kSegmentHeadBytes;
  uint64_t covered = content.damaged_bytes;
  for (const SegmentRecord& record : content.records) {
    demand(record.offset >= at);
    at = uint64_t{record.offset} + kRecordHeadBytes + record.length;
    covered += kRecordHeadBytes + record.length;
    demand(at <= content.end);
  }
  // Every byte up to the end is a record, damage, or the segment's head.
  demand(covered == content.end || covered + kSegmentHeadBytes == content.end);
}

void check_log(std::string_view bytes, std::string_view marks) {
  static const TemporaryDirectory directory;
  std::ofstream(directory.path() / "0000000000000001.log", std::ios::binary) << bytes;
  std::ofstream(directory.path() / "0000000000000001.done", std::ios::binary) << marks;
  auto log = SegmentLog::open(directory.path());
  demand(log.has_value());
  for (const LogEntry& entry : (*log)->take_unfinished()) {
    const auto payload = (*log)->read(entry.position);
    demand(payload && payload->size() == entry.length);
    (*log)->finish(entry.position);
  }
  const std::string_view parts[] = {"after"};
  const auto place = (*log)->append(parts);
  demand(place && (*log)->read(*place)->view() == "after");
  (*log)->finish(*place);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const bool made = !input.empty() && (input[0] & 1);
  if (!input.empty()) input.remove_prefix(1);
  const std::string bytes = made ? damaged_segment(input) : std::string(input);
  check_reading(bytes);
  const auto marks = read_marks(1, input);
  demand(std::ranges::is_sorted(marks));
  check_log(bytes, input);
  return 0;
}
