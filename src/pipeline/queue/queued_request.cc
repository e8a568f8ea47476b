// SPDX-License-Identifier: Apache-2.0
#include "pipeline/queue/queued_request.h"

#include <algorithm>
#include <utility>

#include "pipeline/otlp_export.h"
#include "pipeline/queue/split_items.h"

namespace sonde::pipeline {
namespace {

// So many items of this request as the size allows on average, at least one.
uint64_t items_within(const QueuedRequest& request, uint64_t size, bool in_bytes) {
  if (!in_bytes) return std::max<uint64_t>(1, size);
  const double share = static_cast<double>(size) / static_cast<double>(request.bytes);
  return std::max<uint64_t>(1, static_cast<uint64_t>(share * static_cast<double>(request.items)));
}

// Cuts what is over the limit in two until nothing is, or single records are left.
void append_bounded(Signal signal, Piece piece, uint64_t limit, std::vector<Piece>& out) {
  if (piece.chunk.size() > limit && piece.items > 1) {
    const size_t half = piece.items / 2;
    auto halves = split_items(signal, piece.chunk, piece.items, half, piece.items - half);
    if (halves && halves->size() == 2) {
      for (Piece& one : *halves) append_bounded(signal, std::move(one), limit, out);
      return;
    }
  }
  out.push_back(std::move(piece));
}

}  // namespace

std::vector<QueuedRequest> cut_request(QueuedRequest request, uint64_t first, uint64_t limit,
                                       bool in_bytes) {
  std::vector<QueuedRequest> out;
  const Signal signal = request.batch.signal;
  auto cut =
      split_items(signal, joined(request.batch), request.items,
                  items_within(request, first, in_bytes), items_within(request, limit, in_bytes));
  if (!cut || cut->size() < 2) {
    out.push_back(std::move(request));
    return out;
  }
  std::vector<Piece> pieces;
  if (in_bytes) {
    for (Piece& piece : *cut) {
      const uint64_t bound = pieces.empty() ? first : limit;
      append_bounded(signal, std::move(piece), bound, pieces);
    }
  } else {
    pieces = std::move(*cut);
  }
  auto shared = request.shared;
  if (!shared) {
    shared =
        std::make_shared<SharedRoom>(SharedRoom{request.room, request.items, request.bytes, 1});
  }
  shared->parts += static_cast<uint32_t>(pieces.size() - 1);
  for (Piece& piece : pieces) {
    QueuedRequest part;
    part.items = piece.items;
    part.bytes = piece.chunk.size();
    part.batch = Batch(signal, {std::move(piece.chunk)}, request.batch.ack.split());
    part.batch.context = request.batch.context;
    part.batch.set_items(piece.items);
    part.shared = shared;
    part.queued_ns = request.queued_ns;
    out.push_back(std::move(part));
  }
  request.batch.ack.deliver();  // Its parts decide.
  return out;
}

void join_batch(Batch& into, Batch&& more, const std::shared_ptr<const RequestContext>& shared) {
  const size_t items = into.items() + more.items();
  into.original.reset();
  if (into.context != more.context) into.context = shared;
  into.chunks.insert(into.chunks.end(), std::make_move_iterator(more.chunks.begin()),
                     std::make_move_iterator(more.chunks.end()));
  into.set_items(items);
}

}  // namespace sonde::pipeline
