// SPDX-License-Identifier: Apache-2.0
#include "pipeline/queue/split_items.h"

#include <algorithm>

#include "pipeline/split_records.h"

namespace sonde {
namespace {

// Keeps the data points whose number lies in a range, for which a metric may be cut in two.
class KeepPoints final : public Editor {
 public:
  KeepPoints(size_t begin, size_t end) : begin_(begin), end_(end) {}
  bool metric(MetricEdit& metric, Owners&) override {
    const size_t points = metric.original().point_count();
    const size_t from = at_;
    at_ += points;
    if (from >= begin_ && at_ <= end_) return points > 0 || from < end_;
    if (at_ <= begin_ || from >= end_) return false;
    size_t number = from;
    metric.for_each_point([&](PointEdit&) {
      const bool keep = number >= begin_ && number < end_;
      ++number;
      return keep;
    });
    return true;
  }

 private:
  const size_t begin_;
  const size_t end_;
  size_t at_ = 0;
};

}  // namespace

Result<std::vector<Piece>> split_items(Signal signal, const Bytes& chunk, size_t items,
                                       size_t first, size_t size, Rewriter& rewriter) {
  std::vector<Piece> out;
  if (items <= first) {
    out.push_back({chunk, items});
    return out;
  }
  if (signal == Signal::Metrics) {
    for (size_t begin = 0; begin < items;) {
      const size_t end = std::min(items, begin + (begin == 0 ? first : size));
      KeepPoints keep(begin, end);
      Rewritten part = TRY(rewriter.rewrite(signal, chunk, keep));
      out.push_back({std::move(part.chunk), end - begin});
      begin = end;
    }
    return out;
  }
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
