// SPDX-License-Identifier: Apache-2.0
#include "pipeline/signal_queue.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "pipeline/backoff.h"
#include "pipeline/own_telemetry.h"

namespace sonde::pipeline {
namespace {

// What is on disk is kept in memory too up to so many bytes, so that a queue that keeps up reads
// nothing back.
constexpr uint64_t kLoadedBytes = uint64_t{32} << 20;
// What a sender is told when there is no room now.
constexpr Duration kComeBack = std::chrono::seconds(1);

bool retryable(const Error& error) {
  return error.kind == ErrorKind::Unavailable || error.kind == ErrorKind::Exhausted;
}

CounterLabels labels(std::string_view id, Signal signal) {
  return {{"exporter", std::string(id)}, {"data_type", std::string(to_string(signal))}};
}

}  // namespace

SignalQueue::SignalQueue(Scheduler& scheduler, std::string_view id, Signal signal,
                         const SendingSettings& settings, std::shared_ptr<Send> send)
    : scheduler_(scheduler),
      id_(id),
      signal_(signal),
      settings_(settings),
      batch_in_bytes_(settings.queue.batch && settings.queue.batch->sizer == "bytes"),
      send_(std::move(send)),
      random_(static_cast<uint32_t>(scheduler.clock().monotonic_ns())),
      size_gauge_(
          gauge("otelcol_exporter_queue_size", "Size of the sending queue.", labels(id, signal))) {
  gauge("otelcol_exporter_queue_capacity", "Capacity of the sending queue.", labels(id, signal))
      .set(static_cast<double>(settings_.queue.queue_size));
}

void SignalQueue::restore(std::unique_ptr<QueueJournal> journal) {
  journal_ = std::move(journal);
  for (const LogEntry& entry : journal_->take_unfinished()) {
    auto batch = journal_->load(entry.position);
    if (!batch) {
      log_error("{}: {}", id_, batch.error().message);
      count_lost(1, "damaged");  // How many records it had is lost with it.
      journal_->finish(entry.position);
      continue;
    }
    QueuedRequest request;
    request.items = batch->items();
    request.bytes = batch->bytes();
    request.batch = std::move(*batch);
    request.queued_ns = scheduler_.clock().monotonic_ns();
    request.room = {cost_of(request), entry.position};
    used_ += request.room.cost;
    push(std::move(request));
  }
  scheduler_.post([weak = weak_from_this()] {
    if (auto self = weak.lock()) self->pump();
  });
}

// At least one, so that empty requests are bounded too.
uint64_t SignalQueue::cost_of(const QueuedRequest& request) const {
  if (settings_.queue.sizer == "items") return std::max<uint64_t>(1, request.items);
  if (settings_.queue.sizer == "bytes") return std::max<uint64_t>(1, request.bytes);
  return 1;
}

void SignalQueue::consume(Batch batch) {
  QueuedRequest request;
  request.items = batch.items();
  request.bytes = batch.bytes();
  request.batch = std::move(batch);
  request.queued_ns = scheduler_.clock().monotonic_ns();
  if (stopping_) {
    return refuse(request, {ErrorKind::Unavailable, id_ + ": shutting down", {}}, "shutdown");
  }
  if (!settings_.queue.enabled) {
    push(std::move(request));
    return pump();
  }
  const uint64_t capacity = settings_.queue.queue_size;
  const uint64_t cost = request.room.cost = cost_of(request);
  if (cost > capacity) {
    return refuse(
        request,
        {ErrorKind::Invalid, id_ + ": the request is larger than the whole sending queue", {}},
        "too_large");
  }
  if (!overflow_.empty() || cost > capacity - std::min(used_, capacity)) {
    if (!settings_.queue.block_on_overflow || cost > capacity - overflow_cost_) {
      return refuse(request, {ErrorKind::Exhausted, id_ + ": the sending queue is full", kComeBack},
                    "queue_full");
    }
    overflow_cost_ += cost;
    return overflow_.push_back(std::move(request));
  }
  admit(std::move(request));
  pump();
}

void SignalQueue::admit(QueuedRequest request) {
  Ack& ack = request.batch.ack;
  if (journal_) {
    auto place = journal_->append(request.batch);
    if (!place) {
      const Error& why = place.error();
      const bool full = why.kind == ErrorKind::Exhausted;
      const bool large = why.kind == ErrorKind::Invalid;
      Error error{large  ? why.kind
                  : full ? why.kind
                         : ErrorKind::Unavailable,
                  id_ + ": " + why.message, kComeBack};
      return refuse(request, std::move(error),
                    large  ? "too_large"
                    : full ? "disk_full"
                           : "disk_failed");
    }
    request.room.place = *place;
    journal_->acknowledge(std::move(ack));
  } else if (!settings_.queue.wait_for_result) {
    ack.deliver();
  }
  used_ += request.room.cost;
  push(std::move(request));
}

void SignalQueue::refuse(QueuedRequest& request, Error error, std::string_view reason) {
  if (settings_.queue.enabled && !stopping_) {
    exporter_total(enqueue_failed_, "otelcol_exporter_enqueue_failed_").add(request.items);
  }
  request.batch.ack.fail(std::move(error));
  count_lost(request.items, reason);
}

void SignalQueue::admit_overflow() {
  const uint64_t capacity = settings_.queue.queue_size;
  while (!overflow_.empty()) {
    const uint64_t cost = overflow_.front().room.cost;
    if (cost > capacity - std::min(used_, capacity)) return;
    QueuedRequest request = std::move(overflow_.front());
    overflow_.pop_front();
    overflow_cost_ -= cost;
    admit(std::move(request));
  }
}

void SignalQueue::push(QueuedRequest request) {
  waiting_size_ += request.size(batch_in_bytes_);
  if (request.room.on_disk()) {
    if (loaded_bytes_ + request.bytes > kLoadedBytes) {
      request.batch = Batch(signal_, {});
      request.unloaded = true;
    } else {
      loaded_bytes_ += request.bytes;
    }
  }
  waiting_.push_back(std::move(request));
}

QueuedRequest SignalQueue::pop() {
  QueuedRequest request = std::move(waiting_.front());
  waiting_.pop_front();
  waiting_size_ -= request.size(batch_in_bytes_);
  if (request.room.on_disk() && !request.unloaded) loaded_bytes_ -= request.bytes;
  return request;
}

bool SignalQueue::load(QueuedRequest& request) {
  if (!request.unloaded) return true;
  auto batch = journal_->load(request.room.place);
  if (batch) {
    request.batch = std::move(*batch);
    request.unloaded = false;
    return true;
  }
  log_error("{}: dropping {} records: {}", id_, request.items, batch.error().message);
  count_lost(request.items, "damaged");
  give_back(request.room);
  return false;
}

void SignalQueue::pump() {
  const QueueSettings& queue = settings_.queue;
  while (!waiting_.empty() && (!queue.enabled || active_ < queue.num_consumers)) {
    if (stopping_ && journal_) break;
    if (queue.enabled && queue.batch && !enough_waits()) break;
    depart();
  }
  size_gauge_.set(static_cast<double>(used_));
}

bool SignalQueue::enough_waits() {
  const QueueBatchSettings& batch = *settings_.queue.batch;
  if (stopping_ || waiting_size_ >= batch.min_size) return true;
  const Duration age(scheduler_.clock().monotonic_ns() - waiting_.front().queued_ns);
  if (age >= batch.flush_timeout) return true;
  if (flush_timer_ == 0) {
    flush_timer_ = scheduler_.after(batch.flush_timeout - age, [weak = weak_from_this()] {
      auto self = weak.lock();
      if (!self) return;
      self->flush_timer_ = 0;
      self->pump();
    });
  }
  return false;
}

void SignalQueue::take(Flight& flight, QueuedRequest request) {
  flight.items += request.items;
  Part part{request.room, std::move(request.shared), std::move(request.batch.ack)};
  if (flight.parts.empty()) {
    flight.batch = std::move(request.batch);
  } else {
    join_batch(flight.batch, std::move(request.batch));
  }
  flight.parts.push_back(std::move(part));
}

void SignalQueue::fill(Flight& flight) {
  const auto& batch = settings_.queue.batch;
  const bool batching = settings_.queue.enabled && batch.has_value();
  uint64_t size = 0;
  do {
    QueuedRequest request = pop();
    if (!load(request)) continue;
    if (batching && batch->max_size > 0 && request.size(batch_in_bytes_) > batch->max_size - size) {
      const uint64_t space = batch->max_size - size;
      auto parts =
          cut_request(std::move(request), space, batch->max_size, batch_in_bytes_, rewriter_);
      // What cannot be cut to fit begins the next request.
      const bool fits = flight.parts.empty() || parts.front().size(batch_in_bytes_) <= space;
      const size_t taken = fits ? 1 : 0;
      for (size_t i = parts.size(); i > taken; --i) {
        QueuedRequest& rest = parts[i - 1];
        waiting_size_ += rest.size(batch_in_bytes_);
        if (rest.room.on_disk()) loaded_bytes_ += rest.bytes;
        waiting_.push_front(std::move(rest));
      }
      if (fits) take(flight, std::move(parts.front()));
      return;
    }
    size += request.size(batch_in_bytes_);
    take(flight, std::move(request));
    if (!batching || size >= batch->min_size) return;
  } while (!waiting_.empty());
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

void SignalQueue::depart() {
  const uint32_t index = free_flight();
  Flight& flight = flights_[index];
  flight.items = 0;
  fill(flight);
  if (flight.parts.empty()) return free_.push_back(index);  // All of it was damaged.
  flight.busy = true;
  ++active_;
  flight.first_try_ns = scheduler_.clock().monotonic_ns();
  flight.interval = settings_.retry.initial_interval;
  attempt(index);
}

void SignalQueue::attempt(uint32_t index) {
  Flight& flight = flights_[index];
  flight.sending = true;
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
    const uint64_t rejected = std::min(result->rejected, flight.items);
    exporter_total(sent_, "otelcol_exporter_sent_").add(flight.items - rejected);
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
  if (!retryable(error)) return give_up(flight, error, "permanent");
  if (!settings_.retry.enabled) return give_up(flight, error, "retries_disabled");
  if (stopping_) {
    if (journal_) return keep_on_disk(flight);
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
  for (Part& part : flight.parts) part.ack.fail(error);
  complaining_ = false;
  land(flight);
}

// The places stay unfinished: the next process sends them.
void SignalQueue::keep_on_disk(Flight& flight) {
  for (Part& part : flight.parts) {
    part.room.place = {};
    if (part.shared) part.shared->room.place = {};
  }
  land(flight);
}

void SignalQueue::land(Flight& flight) {
  for (const Part& part : flight.parts) release(part);
  flight.parts.clear();
  flight.batch = {};
  flight.busy = false;
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
  if (room.on_disk()) journal_->finish(room.place);
}

void SignalQueue::stop() {
  stopping_ = true;
  while (!overflow_.empty()) {
    QueuedRequest request = std::move(overflow_.front());
    overflow_.pop_front();
    refuse(request, {ErrorKind::Unavailable, id_ + ": shutting down", {}}, "shutdown");
  }
  overflow_cost_ = 0;
  for (uint32_t index = 0; index < flights_.size(); ++index) {
    Flight& flight = flights_[index];
    if (flight.timer == 0) continue;
    scheduler_.cancel(std::exchange(flight.timer, 0));
    if (journal_) {
      keep_on_disk(flight);
    } else {
      attempt(index);
    }
  }
  pump();
}

void SignalQueue::abandon() {
  stopping_ = true;
  scheduler_.cancel(flush_timer_);
  uint64_t lost = 0;
  uint64_t kept = 0;
  const auto end = [&](Ack& ack, uint64_t items) {
    ++(journal_ ? kept : lost);
    ack.fail({ErrorKind::Unavailable, id_ + ": shut down before it was sent", {}});
    if (journal_) return;
    exporter_total(send_failed_, "otelcol_exporter_send_failed_").add(items);
    count_lost(items, "shutdown");
  };
  for (Flight& flight : flights_) {
    scheduler_.cancel(flight.timer);
    if (!flight.busy) continue;
    uint64_t items = flight.items;
    for (Part& part : flight.parts) end(part.ack, std::exchange(items, 0));
  }
  for (QueuedRequest& request : waiting_) end(request.batch.ack, request.items);
  for (QueuedRequest& request : overflow_) end(request.batch.ack, request.items);
  if (lost > 0) log_error("{}: dropped {} batches at shutdown", id_, lost);
  if (kept > 0) log_info("{}: {} batches of {} stay on disk", id_, kept, to_string(signal_));
  // Flights stay, so that a late answer finds that it is late.
  for (Flight& flight : flights_) flight = {};
  waiting_.clear();
  overflow_.clear();
  active_ = sending_ = used_ = 0;
  journal_.reset();
  size_gauge_.set(0);
}

bool SignalQueue::drained() const {
  if (journal_) return sending_ == 0 && journal_->settled();
  return waiting_.empty() && overflow_.empty() && active_ == 0;
}

Counter& SignalQueue::exporter_total(Counter*& cached, std::string_view prefix) {
  if (!cached) cached = &exporter_counter(prefix, signal_, id_);
  return *cached;
}

void SignalQueue::count_lost(uint64_t items, std::string_view reason) {
  dropped_counter(id_, signal_, reason).add(items);
}

}  // namespace sonde::pipeline
