// SPDX-License-Identifier: Apache-2.0
#include "pipeline/queue/queued_request.h"

#include <algorithm>
#include <utility>

#include "pipeline/otlp_export.h"
#include "pipeline/queue/split_items.h"

namespace sonde::pipeline {
std::vector<QueuedRequest> cut_request(QueuedRequest request, uint64_t first, uint64_t limit,
                                       bool in_bytes) {
  std::vector<QueuedRequest> out;
  const Signal signal = request.batch.signal;
  const PieceSize begins =
      in_bytes ? PieceSize{.bytes = first} : PieceSize{.items = std::max<uint64_t>(1, first)};
  const PieceSize each = in_bytes ? PieceSize{.bytes = limit} : PieceSize{.items = limit};
  auto cut = split_items(signal, joined(request.batch), begins, each);
  if (!cut || cut->size() < 2) {
    out.push_back(std::move(request));
    return out;
  }
  std::vector<Piece>& pieces = *cut;
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
