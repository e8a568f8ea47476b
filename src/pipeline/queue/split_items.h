// SPDX-License-Identifier: Apache-2.0
// Cuts a chunk into pieces of a bounded size: of so many spans, log records or data points, or of
// so many bytes. The bytes of records are copied; what cannot be cut (resources, scopes, what a
// metric says besides its points) is repeated in each piece that needs it. A small request can thus
// become a very large one, so whoever cuts asks check_cut() first, and split_items() makes no more
// at once than a small multiple of the chunk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/batch.h"

namespace sonde {

struct Piece {
  Bytes chunk;
  size_t items = 0;
};

// The most that a piece holds, both above 0. A single item that is larger than `bytes` with what
// must be repeated around it is a piece of its own.
struct PieceSize {
  size_t items = SIZE_MAX;
  size_t bytes = SIZE_MAX;
};

// The first piece has up to `first`, each later one up to `each`. When the pieces take more than
// 1 MiB and twice the bytes of the chunk, the last one has all that is left, whatever its size: it
// is cut when its turn comes. That is linear in what is written, for what is left is copied once
// for at least twice as much. An error (Invalid) where the bytes do not parse.
Result<std::vector<Piece>> split_items(Signal signal, const Bytes& chunk, PieceSize first,
                                       PieceSize each);

// Whether there is memory for all the pieces of a batch of `items` items at once, as a queue behind
// may hold them. Exhausted where there will be later, Invalid where there never will be or where
// the bytes do not parse. What could not become large is not looked at.
Result<> check_cut(const Batch& batch, size_t items, PieceSize first, PieceSize each);

}  // namespace sonde
