// SPDX-License-Identifier: Apache-2.0
// How requests leave a SignalQueue: put together, sent, tried again, and given back.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "pipeline/introspection/own_telemetry.h"
#include "pipeline/queue/backoff.h"
#include "pipeline/queue/signal_queue.h"

namespace sonde::pipeline {
namespace {

constexpr Duration kReadAgain = std::chrono::seconds(1);
constexpr uint8_t kMostReads = 30;  // Then it no longer holds up what waits behind it.

bool retryable(const Error& error) {
  return error.kind == ErrorKind::Unavailable || error.kind == ErrorKind::Exhausted;
}

}  // namespace

SignalQueue::Loaded SignalQueue::load(QueuedRequest& request) {
  if (!request.unloaded) return Loaded::Yes;
  auto batch = journal_->load(request.room.place);
  if (batch) {
    request.batch = std::move(*batch);
    request.unloaded = false;
    return Loaded::Yes;
  }
  if (batch.error().kind != ErrorKind::Invalid) {
    if (++request.failed_reads <= kMostReads) {
      log_warn("{}: {}; trying again", id_, batch.error().message);
      return Loaded::NotNow;
    }
    log_error("{}: {}; {} records stay on disk until the next start", id_, batch.error().message,
              request.items);
    ++kept_;
    request.room.place = {};
    give_back(request.room);
    return Loaded::Gone;
  }
  log_error("{}: dropping {} records: {}", id_, request.items, batch.error().message);
  count_lost(request.items, "damaged");
  give_back(request.room);
  return Loaded::Gone;
}

void SignalQueue::pump() {
  const QueueSettings& queue = settings_.queue;
  while (!queue.enabled || active_ < queue.num_consumers) {
    // What cannot be read back makes room too, and no request ends with it.
    admit_overflow();
    const int64_t now = waiting_->batching() ? scheduler_.clock().monotonic_ns() : 0;
    Duration wait{};
    WaitingRequests::Line* line = waiting_->ready(now, stopping_, wait);
    if (!line) {
      if (wait > Duration{}) pump_after(wait);
      break;
    }
    if (!depart(*line)) {
      pump_after(kReadAgain);
      break;
    }
  }
  size_gauge_.set(static_cast<double>(used_));
  memory_gauge_.set(static_cast<double>(waiting_->bytes_in_memory() + flying_bytes_));
}

void SignalQueue::pump_after(Duration wait) {
  // One that is set fires before any later request has waited long enough.
  if (flush_timer_ != 0) return;
  flush_timer_ = scheduler_.after(wait, [weak = weak_from_this()] {
    auto self = weak.lock();
    if (!self) return;
    self->flush_timer_ = 0;
    self->pump();
  });
}

void SignalQueue::take(Flight& flight, QueuedRequest request, const WaitingRequests::Line& line) {
  flight.items += request.items;
  flight.bytes += request.bytes;
  Part part{request.room,
            std::move(request.shared),
            std::move(request.batch.ack),
            request.queued_ns,
            request.items,
            request.bytes};
  if (flight.parts.empty()) {
    flight.batch = std::move(request.batch);
  } else {
    join_batch(flight.batch, std::move(request.batch), line.context);
  }
  flight.parts.push_back(std::move(part));
}

bool SignalQueue::fill(Flight& flight, WaitingRequests::Line& line) {
  static const QueueBatchSettings kNone;
  const QueueBatchSettings& batch = settings_.queue.batch ? *settings_.queue.batch : kNone;
  uint64_t size = 0;
  do {
    QueuedRequest request = waiting_->pop(line);
    const Loaded loaded = load(request);
    if (loaded == Loaded::Gone) continue;
    if (loaded == Loaded::NotNow) {
      waiting_->push_front(line, std::move(request));
      return false;
    }
    if (!waiting_->batching()) {
      take(flight, std::move(request), line);
      return true;
    }
    if (batch.max_size > 0 && waiting_->size_of(request) > batch.max_size - size) {
      const uint64_t space = batch.max_size - size;
      auto parts = cut_request(std::move(request), space, batch.max_size, waiting_->in_bytes());
      // What cannot be cut to fit begins the next request.
      const bool fits = flight.parts.empty() || waiting_->size_of(parts.front()) <= space;
      for (size_t i = parts.size(); i > (fits ? 1 : 0); --i) {
        waiting_->push_front(line, std::move(parts[i - 1]));
      }
      if (fits) take(flight, std::move(parts.front()), line);
      return true;
    }
    size += waiting_->size_of(request);
    take(flight, std::move(request), line);
  } while (size < batch.min_size && !line.requests.empty());
  return true;
}

uint32_t SignalQueue::free_flight() {
  if (free_.empty()) {
    const auto index = static_cast<uint32_t>(flights_.size());
    flights_.emplace_back().index = index;
    return index;
  }
  const uint32_t index = free_.back();
  free_.pop_back();
  return index;
}

bool SignalQueue::depart(WaitingRequests::Line& line) {
  const uint32_t index = free_flight();
  Flight& flight = flights_[index];
  flight.items = flight.bytes = 0;
  const bool readable = fill(flight, line);
  waiting_->leave(line);
  if (flight.parts.empty()) {  // Or all of it is gone.
    free_.push_back(index);
    return readable;
  }
  flight.busy = true;
  flying_bytes_ += flight.bytes;
  ++active_;
  flight.first_try_ns = scheduler_.clock().monotonic_ns();
  flight.interval = settings_.retry.initial_interval;
  attempt(index);
  return readable;
}

void SignalQueue::attempt(uint32_t index) {
  Flight& flight = flights_[index];
  flight.sending = true;
  flight.by = send_.get();
  ++sending_;
  (*send_)(flight.batch,
           [weak = weak_from_this(), index, generation = flight.generation](Result<Sent> result) {
             auto self = weak.lock();
             if (!self) return;
             // Posted: a client may answer within the call, while it still reads the batch.
             self->scheduler_.post([weak, index, generation, answer = std::move(result)]() mutable {
               if (auto still = weak.lock()) still->settle(index, generation, std::move(answer));
             });
           });
}

void SignalQueue::settle(uint32_t index, uint32_t generation, Result<Sent> result) {
  Flight& flight = flights_[index];
  if (!flight.busy || flight.generation != generation || !flight.sending) return;
  flight.sending = false;
  --sending_;
  if (result) {
    status_->worked(signal_);
    const bool opaque = flight.batch.opaque;
    const uint64_t rejected = opaque ? result->rejected : std::min(result->rejected, flight.items);
    exporter_total(sent_, "otelcol_exporter_sent_")
        .add(flight.items - std::min(rejected, flight.items));
    count_opaque(flight.batch, "sent");
    if (rejected > 0) {
      log_warn("{}: the peer rejected {} records: {}", id_, rejected, result->message);
      count_lost(rejected, "rejected");
    }
    // Which of several senders the rejected records came from is not known.
    const bool told = rejected > 0 && flight.parts.size() == 1;
    for (Part& part : flight.parts) {
      if (told) {
        part.ack.fail({ErrorKind::Invalid, result->message, {}}, rejected);
      } else {
        part.ack.deliver();
      }
    }
    complaining_ = false;
    return land(flight);
  }
  const Error& error = result.error();
  status_->failed(signal_, error);
  if (!retryable(error)) return give_up(flight, error, "permanent");
  if (!settings_.retry.enabled) return give_up(flight, error, "retries_disabled");
  if (stopping_) {
    if (flight.on_disk()) return keep_on_disk(flight);
    return give_up(flight, error, "shutdown");
  }
  const Duration wait =
      std::max(next_wait(settings_.retry, flight.interval, random_), error.retry_after);
  const Duration elapsed(scheduler_.clock().monotonic_ns() - flight.first_try_ns);
  const Duration limit = settings_.retry.max_elapsed_time;
  if (limit > Duration{} && elapsed + wait > limit) {
    return give_up(flight, error, "retries_exhausted");
  }
  retry_later(index, wait, error);
}

void SignalQueue::retry_later(uint32_t index, Duration wait, const Error& error) {
  if (!retries_) {
    retries_ = &counter("sonde_exporter_retries_total", "Sends that are tried again.",
                        {{"exporter", id_}});
  }
  retries_->add();
  if (!complaining_) log_warn("{}: {}; trying again", id_, error.message);
  complaining_ = true;
  Flight& flight = flights_[index];
  flight.timer =
      scheduler_.after(wait, [weak = weak_from_this(), index, generation = flight.generation] {
        auto self = weak.lock();
        if (!self || self->flights_[index].generation != generation) return;
        self->flights_[index].timer = 0;
        self->attempt(index);
      });
}

void SignalQueue::give_up(Flight& flight, const Error& error, std::string_view reason) {
  log_error("{}: dropping {} records ({}): {}", id_, flight.items, reason, error.message);
  exporter_total(send_failed_, "otelcol_exporter_send_failed_").add(flight.items);
  count_lost(flight.items, reason);
  count_opaque(flight.batch, reason);
  for (Part& part : flight.parts) part.ack.fail(error);
  complaining_ = false;
  land(flight);
}

// The places stay unfinished: the next process sends them.
void SignalQueue::keep_on_disk(Flight& flight) {
  flight.place = {};
  for (Part& part : flight.parts) {
    ++kept_;
    part.room.place = {};
    if (part.shared) part.shared->room.place = {};
  }
  land(flight);
}

void SignalQueue::land(Flight& flight) {
  for (const Part& part : flight.parts) release(part);
  if (flight.place.segment != 0) journal_->finish(std::exchange(flight.place, {}));
  flight.parts.clear();
  flight.batch = {};
  flight.busy = false;
  flying_bytes_ -= flight.bytes;
  ++flight.generation;
  --active_;
  free_.push_back(flight.index);
  if (!overflow_.empty()) admit_overflow();
  pump();
}

void SignalQueue::release(const Part& part) {
  if (!part.shared) return give_back(part.room);
  if (--part.shared->parts == 0) give_back(part.shared->room);
}

void SignalQueue::give_back(const Room& room) {
  used_ -= room.cost;
  room_->give_back(room.cost);
  if (room.on_disk()) journal_->finish(room.place);
}

}  // namespace sonde::pipeline
