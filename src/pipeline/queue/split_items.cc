// SPDX-License-Identifier: Apache-2.0
#include "pipeline/queue/split_items.h"

#include <algorithm>

#include "pipeline/split_records.h"

namespace sonde {
Result<std::vector<Piece>> split_items(Signal signal, const Bytes& chunk, size_t items,
                                       size_t first, size_t size) {
  std::vector<Piece> out;
  if (items <= first) {
    out.push_back({chunk, items});
    return out;
  }
  if (signal == Signal::Metrics) return split_points(chunk, first, size);
  const size_t parts = 1 + (items - first + size - 1) / size;
  size_t number = 0;
  std::vector<Bytes> chunks = pipeline::split_records(
      chunk, static_cast<uint32_t>(parts), [&](std::string_view, std::string_view) {
        const size_t at = number++;
        const size_t part = at < first ? 0 : 1 + (at - first) / size;
        return static_cast<uint32_t>(std::min(part, parts - 1));
      });
  for (size_t part = 0; part < parts; ++part) {
    const size_t begin = part == 0 ? 0 : first + (part - 1) * size;
    const size_t count = std::min(items - begin, part == 0 ? first : size);
    if (!chunks[part].empty()) out.push_back({std::move(chunks[part]), count});
  }
  return out;
}

}  // namespace sonde
