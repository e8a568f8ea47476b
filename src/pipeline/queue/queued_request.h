// SPDX-License-Identifier: Apache-2.0
// What waits in a sending queue, and how waiting requests become one that is sent. Private to
// signal_queue.cc.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "base/segment_log.h"
#include "data/batch.h"
#include "pipeline/queue/sending_settings.h"

namespace sonde::pipeline {

// What a request takes of the queue until it has ended.
struct Room {
  uint64_t cost = 0;    // In the queue's sizer.
  LogPosition place{};  // On disk; segment 0: in memory alone.
  bool on_disk() const { return place.segment != 0; }
};

// A request that was cut: the room is given back by the last of its parts.
struct SharedRoom {
  Room room;
  uint64_t items = 0, bytes = 0;  // Of the whole request.
  uint32_t parts = 0;
};

struct QueuedRequest {
  Batch batch;  // Without chunks while `unloaded`. Its acknowledgement is over in most queues.
  Room room;
  std::shared_ptr<SharedRoom> shared;  // In place of `room`, of a part.
  uint64_t items = 0;
  uint64_t bytes = 0;
  int64_t queued_ns = 0;
  bool unloaded = false;
  uint8_t failed_reads = 0;

  bool on_disk() const { return room.on_disk() || (shared && shared->room.on_disk()); }
  uint64_t size(bool in_bytes) const { return in_bytes ? bytes : items; }
};

// Cuts a loaded request into parts, the first of at most `first` and each later one of at most
// `limit` items or bytes. A single record larger than that stays whole, and so does a request that
// does not parse. Where the parts take much more memory than the request, the last is all that is
// left, to be cut again when its turn comes.
std::vector<QueuedRequest> cut_request(QueuedRequest request, uint64_t first, uint64_t limit,
                                       bool in_bytes);

// Appends `more` to the request that is being put together. Where the senders' metadata differ, it
// has `shared` alone, as the Collector drops what is not a key of the partition.
void join_batch(Batch& into, Batch&& more, const std::shared_ptr<const RequestContext>& shared);

}  // namespace sonde::pipeline
