// SPDX-License-Identifier: Apache-2.0
// Any file, plain and as gzip: reading it piece by piece, from the beginning or from the middle,
// gives the same bytes as reading it at once, and a pattern of any text is parsed or refused.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/testing/temporary_directory.h"
#include "components/receiver/otlpjsonfile/file_source.h"
#include "components/receiver/otlpjsonfile/path_pattern.h"

namespace {

using sonde::otlpjsonfile::FileSource;
constexpr size_t kMost = 1 << 20;

std::string read_all(FileSource& source, uint64_t from, size_t piece) {
  std::string out;
  while (out.size() < kMost) {
    const auto got = source.read(from + out.size(), piece, from + out.size(), out);
    if (!got || got->end) break;
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const sonde::TemporaryDirectory folder;
  const std::string path = (folder.path() / "file").string();
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(size));
  for (const auto kind :
       {FileSource::Kind::Plain, FileSource::Kind::Gzip, FileSource::Kind::Either}) {
    const auto source = FileSource::open(path, kind);
    CHECK(source.has_value(), "the file was just written");
    const std::string whole = read_all(**source, 0, 64 << 10);
    if (!(*source)->compressed()) CHECK(whole == bytes.substr(0, whole.size()), "other bytes");
    if (whole.size() >= kMost) continue;
    const size_t middle = whole.size() / 2;
    // It begins at the beginning again where it is compressed.
    CHECK(read_all(**source, middle, 7) == whole.substr(middle), "not the same from the middle");
    CHECK(read_all(**source, 0, 4096) == whole, "not the same again");
  }
  const size_t half = size / 2;
  const auto pattern = sonde::otlpjsonfile::PathPattern::parse(bytes.substr(0, half));
  if (pattern) (void)pattern->matches(bytes.substr(half));
  return 0;
}
