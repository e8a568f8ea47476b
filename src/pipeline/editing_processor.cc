// SPDX-License-Identifier: Apache-2.0
#include "pipeline/editing_processor.h"

#include <algorithm>

#include "pipeline/introspection/own_telemetry.h"

namespace sonde::pipeline {

void EditingProcessor::consume(Batch batch) {
  context_ = batch.context.get();
  std::vector<Bytes> kept;
  kept.reserve(batch.chunks.size());
  bool changed = false;
  size_t dropped = 0;
  for (const Bytes& chunk : batch.chunks) {
    auto rewritten = rewriter_.rewrite(batch.signal, chunk, *this);
    if (!rewritten) {
      context_ = nullptr;
      dropped_counter(id_, batch.signal, "malformed").add(batch.items());
      return batch.ack.fail(at(id_, std::move(rewritten.error())));
    }
    changed |= rewritten->changed;
    dropped += rewritten->dropped;
    if (!rewritten->chunk.empty()) kept.push_back(std::move(rewritten->chunk));
  }
  context_ = nullptr;
  if (dropped > 0) count_dropped(batch.signal, dropped);
  if (!changed) return outputs_.send(std::move(batch));
  if (kept.empty()) return batch.ack.deliver();
  const size_t items = batch.items() - std::min(dropped, batch.items());
  Batch next = std::move(batch).with(std::move(kept));
  next.set_items(items);
  outputs_.send(std::move(next));
}

}  // namespace sonde::pipeline
