// SPDX-License-Identifier: Apache-2.0
// What stands at the end of a file that is to be added to. A process that died while it wrote left
// half a message there, which nobody was told is written; but the file may also be somebody else's,
// or of another format, and then nothing of it may be lost.
#pragma once

#include <cstdint>

namespace sonde::file_exporter {

// How a message ends: so that half of one is found.
enum class Framing : uint8_t { Lines, Lengths };

struct FileEnd {
  enum class Kind : uint8_t {
    Whole,    // Also where the file cannot be read: then it is left as it is.
    Torn,     // Half a message of this format, behind whole ones.
    Unended,  // Lines: a last one that only lacks its end, or that is not known to be half of ours.
    Foreign,  // Other than this format.
  };
  Kind kind = Kind::Whole;
  uint64_t whole = 0;  // Where the last whole message ends.
};

// `size` is that of the file. Lines are read backwards from the end; messages with their lengths
// from the first one on, four bytes of each.
FileEnd find_end(int fd, uint64_t size, Framing framing);

}  // namespace sonde::file_exporter
