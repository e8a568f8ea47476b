// SPDX-License-Identifier: Apache-2.0
// How a SignalQueue goes on when its exporter is replaced by one with other settings.
#include <algorithm>
#include <set>
#include <utility>

#include "base/log.h"
#include "pipeline/payload.h"
#include "pipeline/queue/signal_queue.h"

namespace sonde::pipeline {

size_t SignalQueue::sending_with(const Send* send) const {
  return static_cast<size_t>(std::ranges::count_if(flights_, [&](const Flight& flight) {
    return flight.busy && flight.sending && flight.by == send;
  }));
}

void SignalQueue::become(const SendingSettings& settings, std::shared_ptr<Send> send,
                         std::shared_ptr<SendStatus> status, std::unique_ptr<QueueJournal> journal,
                         std::shared_ptr<QueueRoom> room) {
  std::vector<QueuedRequest> requests;
  requests.reserve(waiting_->count());
  waiting_->each([&](QueuedRequest& request) { requests.push_back(std::move(request)); });
  // Lines of different metadata may become one.
  std::ranges::stable_sort(requests, {}, &QueuedRequest::queued_ns);
  scheduler_.cancel(std::exchange(flush_timer_, 0));
  uint64_t taken = used_;
  for (const QueuedRequest& request : overflow_) taken += request.room.cost;
  room_->give_back(taken);
  room->take_anyway(taken);
  room_ = std::move(room);
  settings_ = settings;
  send_ = std::move(send);
  status_ = std::move(status);
  complaining_ = false;
  waiting_.emplace(settings_.queue);
  say_capacity();
  if (journal) {
    journal_ = std::move(journal);
    load_unfinished();
  }
  const bool by_metadata =
      settings_.queue.batch && !settings_.queue.batch->partition.metadata_keys.empty();
  const bool looks_inside = SendingQueue::looks_inside(settings_);
  std::set<SharedRoom*> whole;  // On disk, and of several parts.
  for (QueuedRequest& request : requests) {
    if (by_metadata && load(request) == Loaded::Gone) continue;
    if (looks_inside && !open(request)) {
      give_back(request.room);
      continue;
    }
    part_from_others(request);
    if (request.shared) {
      whole.insert(request.shared.get());
    } else {
      count_anew(request.room, request.items, request.bytes);
    }
    keep(request);
    waiting_->push(std::move(request));
  }
  for (Flight& flight : flights_) {
    if (!flight.busy) continue;
    for (Part& part : flight.parts) {
      part_from_others(part);
      if (part.shared) {
        whole.insert(part.shared.get());
      } else {
        count_anew(part.room, part.items, part.bytes);
      }
    }
    keep(flight);
  }
  for (SharedRoom* shared : whole) count_anew(shared->room, shared->items, shared->bytes);
  for (auto held = overflow_.begin(); held != overflow_.end();) {
    room_->give_back(held->room.cost);
    if (looks_inside && !open(*held)) {
      held = overflow_.erase(held);
      continue;
    }
    held->room.cost = cost_of(*held);
    room_->take_anyway(held->room.cost);
    ++held;
  }
  admit_overflow();
  pump();
}

template <class Cut>
void SignalQueue::part_from_others(Cut& part) {
  if (!part.shared || part.shared->room.on_disk()) return;
  if (--part.shared->parts == 0) give_back(part.shared->room);
  part.shared = nullptr;
  part.room = {};
}

void SignalQueue::count_anew(Room& room, uint64_t items, uint64_t bytes) {
  used_ -= room.cost;
  room_->give_back(room.cost);
  room.cost = settings_.queue.enabled ? room_->cost_of({1, items, bytes}) : 0;
  used_ += room.cost;
  room_->take_anyway(room.cost);
}

// What was taken while nothing looked inside. False: it is damaged, its sender was told so, and its
// room is the caller's to give back.
bool SignalQueue::open(QueuedRequest& request) {
  Batch& batch = request.batch;
  if (!batch.opaque && !batch.sealed()) return true;
  const bool opaque = std::exchange(batch.opaque, false);
  if (batch.sealed()) {
    auto plain = open_sealed(*batch.original);
    if (!plain) {
      batch.opaque = opaque;
      log_error("{}: dropping a request: {}", id_, plain.error().message);
      batch.ack.fail(plain.error());
      count_lost(request.items, "damaged");
      count_opaque(batch, "damaged");
      return false;
    }
    batch.chunks.push_back(std::move(*plain));
  }
  if (opaque) batch.set_items(count_records(batch));
  request.items = batch.items();
  request.bytes = batch.bytes();
  return true;
}

// What was acknowledged when it was in memory alone is as safe from now on as what comes later.
void SignalQueue::keep(QueuedRequest& request) {
  if (!journal_ || request.on_disk()) return;
  auto place = journal_->append(request.batch);
  if (!place) {
    return log_warn("{}: a batch that was queued before stays in memory: {}", id_,
                    place.error().message);
  }
  request.room.place = *place;
  if (request.batch.ack.live()) journal_->acknowledge(std::move(request.batch.ack));
}

// The same for what is under way, as one record: it may be of several requests.
void SignalQueue::keep(Flight& flight) {
  if (!journal_ || flight.on_disk()) return;
  // It may have set out as it came, compressed.
  auto chunks = chunks_of(flight.batch);
  Batch record(signal_, chunks ? std::move(*chunks) : std::vector<Bytes>());
  record.context = flight.batch.context;
  record.set_items(flight.batch.opaque ? count_records(record) : flight.batch.items());
  auto place = chunks ? journal_->append(record) : std::unexpected(chunks.error());
  if (!place) {
    return log_warn("{}: a batch that is being sent stays in memory: {}", id_,
                    place.error().message);
  }
  flight.place = *place;
  for (Part& part : flight.parts) {
    if (!part.shared && part.room.on_disk()) {
      journal_->finish(std::exchange(part.room.place, {}));
    }
    if (part.ack.live()) journal_->acknowledge(std::move(part.ack));
  }
}

}  // namespace sonde::pipeline
