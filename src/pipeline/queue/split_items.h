// SPDX-License-Identifier: Apache-2.0
// Cuts a chunk into pieces of a bounded number of items: spans, log records, data points. Between
// spans and between records their bytes are copied; a metric whose points part is written twice.
#pragma once

#include <vector>

#include "base/result.h"
#include "data/batch.h"

namespace sonde {

struct Piece {
  Bytes chunk;
  size_t items = 0;
};

// The chunk holds `items` of them. The first piece holds up to `first`, each later one up to
// `size`; both are above 0. An error (Invalid) where the bytes do not parse.
Result<std::vector<Piece>> split_items(Signal signal, const Bytes& chunk, size_t items,
                                       size_t first, size_t size);
// The same of metrics: split_points.cc.
Result<std::vector<Piece>> split_points(const Bytes& chunk, size_t first, size_t size);

}  // namespace sonde
