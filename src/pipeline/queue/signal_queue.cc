// SPDX-License-Identifier: Apache-2.0
#include "pipeline/queue/signal_queue.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "data/valid.h"
#include "pipeline/introspection/own_telemetry.h"
#include "pipeline/queue/split_items.h"

namespace sonde::pipeline {
namespace {

// What a sender is told when the disk or the memory has no room now.
constexpr Duration kComeBack = std::chrono::seconds(1);

// Three quarters of the budget are taken.
bool nearly_full(const MemoryLedger& ledger) {
  return ledger.held() + ledger.promised() > ledger.budget() / 4 * 3;
}

CounterLabels labels(std::string_view id, Signal signal) {
  return {{"exporter", std::string(id)}, {"data_type", std::string(to_string(signal))}};
}

}  // namespace

SignalQueue::SignalQueue(Scheduler& scheduler, std::string_view id, Signal signal,
                         const SendingSettings& settings, std::shared_ptr<Send> send,
                         std::shared_ptr<SendStatus> status, std::shared_ptr<QueueRoom> room)
    : scheduler_(scheduler),
      id_(id),
      signal_(signal),
      settings_(settings),
      send_(std::move(send)),
      status_(std::move(status)),
      random_(static_cast<uint32_t>(scheduler.clock().monotonic_ns())),
      size_gauge_(
          gauge("otelcol_exporter_queue_size", "Size of the sending queue.", labels(id, signal))),
      age_gauge_(gauge("sonde_exporter_queue_oldest_seconds",
                       "For how long the oldest request has waited.", labels(id, signal))),
      in_flight_gauge_(gauge("otelcol_exporter_in_flight_requests",
                             "Requests that the peer has not answered.", labels(id, signal))),
      at_risk_gauge_(gauge("sonde_at_risk_items",
                           "Items that were acknowledged and are held in memory only.",
                           labels(id, signal))),
      memory_gauge_(holder_gauge("queue", id, to_string(signal))),
      room_(std::move(room)),
      waiting_(settings_.queue) {
  say_capacity();
}

void SignalQueue::say_capacity() const {
  gauge("otelcol_exporter_queue_capacity", "Capacity of the sending queue.", labels(id_, signal_))
      .set(static_cast<double>(settings_.queue.queue_size));
}

void SignalQueue::restore(std::unique_ptr<QueueJournal> journal) {
  journal_ = std::move(journal);
  load_unfinished();
  scheduler_.post([weak = weak_from_this()] {
    if (auto self = weak.lock()) self->pump();
  });
}

void SignalQueue::load_unfinished() {
  for (const LogEntry& entry : journal_->take_unfinished()) {
    auto batch = journal_->load(entry.position);
    if (!batch) {
      log_error("{}: {}", id_, batch.error().message);
      if (batch.error().kind != ErrorKind::Invalid) {
        log_error("{}: this batch stays on disk until the next start", id_);
        continue;
      }
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
    room_->take_anyway(request.room.cost);
    waiting_->push(std::move(request));
  }
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
  // From a sender that was told so before this queue got other settings.
  if (SendingQueue::looks_inside(settings_) && !open(request)) return;
  if (!settings_.queue.enabled) {
    waiting_->push(std::move(request));
    return pump();
  }
  // Senders were asked to wait before this: here it is data that the process makes itself. A queue
  // that drops does so before it uses up what the others need.
  const MemoryLedger& ledger = MemoryLedger::process();
  if (ledger.exhausted() || (settings_.queue.drop_on_overflow && nearly_full(ledger))) {
    return refuse(request, {ErrorKind::Exhausted, id_ + ": the memory limit is reached", kComeBack},
                  "memory_limit");
  }
  if (settings_.queue.batch) {
    // It would go with what others sent, which a back end that cannot parse it would refuse too.
    if (auto checked = validate(request.batch); !checked) {
      return refuse_malformed(request, std::move(checked.error()));
    }
    const uint64_t most = settings_.queue.batch->max_size;
    if (most > 0 && waiting_->size_of(request) > most) {
      const PieceSize each = waiting_->in_bytes() ? PieceSize{.bytes = most} : PieceSize{most};
      if (auto checked = check_cut(request.batch, request.items, each, each); !checked) {
        const bool large = checked.error().kind == ErrorKind::Invalid;
        return refuse(request, at(id_, std::move(checked.error())),
                      large ? "too_large" : "memory_limit");
      }
    }
  }
  const uint64_t cost = request.room.cost = cost_of(request);
  if (auto taken = room_->take(cost); !taken) {
    const bool large = taken.error().kind == ErrorKind::Invalid;
    return refuse(request, std::move(taken.error()), large ? "too_large" : "queue_full");
  }
  // There is as much again as the queue's size for those who wait: block_on_overflow.
  if (!overflow_.empty() || !fits(cost)) return overflow_.push_back(std::move(request));
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
      room_->give_back(request.room.cost);
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
  waiting_->push(std::move(request));
}

void SignalQueue::refuse(QueuedRequest& request, Error error, std::string_view reason) {
  if (settings_.queue.enabled && !stopping_) {
    exporter_total(enqueue_failed_, "otelcol_exporter_enqueue_failed_").add(request.items);
  }
  if (settings_.queue.drop_on_overflow && !stopping_) {
    request.batch.ack.drop(reason);
  } else {
    request.batch.ack.fail(std::move(error));
  }
  count_lost(request.items, reason);
  count_opaque(request.batch, reason);
}

// No matter of room, so the sender is told whatever drop_on_overflow says.
void SignalQueue::refuse_malformed(QueuedRequest& request, Error error) {
  exporter_total(enqueue_failed_, "otelcol_exporter_enqueue_failed_").add(request.items);
  count_lost(request.items, "malformed");
  count_opaque(request.batch, "malformed");
  request.batch.ack.fail(at(id_, std::move(error)));
}

void SignalQueue::admit_overflow() {
  // One that a smaller queue has no room for goes alone.
  while (!overflow_.empty() && (used_ == 0 || fits(overflow_.front().room.cost))) {
    QueuedRequest request = std::move(overflow_.front());
    overflow_.pop_front();
    admit(std::move(request));
  }
}

void SignalQueue::stop() {
  stopping_ = true;
  while (!overflow_.empty()) {
    QueuedRequest request = std::move(overflow_.front());
    overflow_.pop_front();
    room_->give_back(request.room.cost);
    refuse(request, {ErrorKind::Unavailable, id_ + ": shutting down", {}}, "shutdown");
  }
  set_aside_what_is_on_disk();
  for (uint32_t index = 0; index < flights_.size(); ++index) {
    Flight& flight = flights_[index];
    if (flight.timer == 0) continue;
    scheduler_.cancel(std::exchange(flight.timer, 0));
    if (flight.on_disk()) {
      keep_on_disk(flight);
    } else {
      attempt(index);
    }
  }
  pump();
}

// It is for the next process; what is in memory alone has no other chance than this one.
void SignalQueue::set_aside_what_is_on_disk() {
  if (!journal_) return;
  std::vector<QueuedRequest> rest;
  uint64_t cost = 0;
  waiting_->each([&](QueuedRequest& request) {
    if (!request.on_disk()) return rest.push_back(std::move(request));
    ++kept_;
    if (!request.shared) cost += request.room.cost;
  });
  used_ -= cost;
  room_->give_back(cost);
  waiting_->clear();
  for (QueuedRequest& request : rest) waiting_->push(std::move(request));
}

void SignalQueue::abandon() {
  stopping_ = true;
  scheduler_.cancel(flush_timer_);
  uint64_t lost = 0;
  const auto end = [&](Ack& ack, bool kept, uint64_t items, const Batch& batch) {
    ++(kept ? kept_ : lost);
    ack.fail({ErrorKind::Unavailable, id_ + ": shut down before it was sent", {}});
    if (kept) return;
    exporter_total(send_failed_, "otelcol_exporter_send_failed_").add(items);
    count_lost(items, "shutdown");
    count_opaque(batch, "shutdown");
  };
  for (Flight& flight : flights_) {
    scheduler_.cancel(flight.timer);
    if (!flight.busy) continue;
    uint64_t items = flight.items;
    const bool kept = flight.on_disk();
    for (Part& part : flight.parts) end(part.ack, kept, std::exchange(items, 0), flight.batch);
  }
  waiting_->each([&](QueuedRequest& request) {
    end(request.batch.ack, request.on_disk(), request.items, request.batch);
  });
  for (QueuedRequest& request : overflow_) {
    end(request.batch.ack, false, request.items, request.batch);
    room_->give_back(request.room.cost);
  }
  room_->give_back(used_);
  if (lost > 0) log_error("{}: dropped {} batches at shutdown", id_, lost);
  if (kept_ > 0) log_info("{}: {} batches of {} stay on disk", id_, kept_, to_string(signal_));
  // Flights stay, so that a late answer finds that it is late.
  for (Flight& flight : flights_) flight = {};
  waiting_->clear();
  overflow_.clear();
  active_ = sending_ = used_ = flying_bytes_ = 0;
  journal_.reset();
  size_gauge_.set(0);
  memory_gauge_.set(0);
  show_waiting();
}

void SignalQueue::show_waiting() {
  const int64_t now = scheduler_.clock().monotonic_ns();
  int64_t oldest = now;
  uint64_t items = 0;  // In memory alone.
  for (const Flight& flight : flights_) {
    if (!flight.busy) continue;
    if (!flight.on_disk()) items += flight.items;
    for (const Part& part : flight.parts) oldest = std::min(oldest, part.queued_ns);
  }
  waiting_->each([&](const QueuedRequest& request) {
    if (!request.on_disk()) items += request.items;
    oldest = std::min(oldest, request.queued_ns);
  });
  for (const QueuedRequest& request : overflow_) oldest = std::min(oldest, request.queued_ns);
  const bool safe = !settings_.queue.enabled || settings_.queue.wait_for_result;
  age_gauge_.set(static_cast<double>(now - oldest) / 1e9);
  in_flight_gauge_.set(static_cast<double>(sending_));
  at_risk_gauge_.set(safe ? 0 : static_cast<double>(items));
}

bool SignalQueue::drained() const {
  if (!journal_) return waiting_->count() == 0 && overflow_.empty() && active_ == 0;
  // What is on disk can wait for the next process.
  const auto holds = [](const Flight& flight) { return flight.busy && !flight.on_disk(); };
  return sending_ == 0 && journal_->settled() && std::ranges::none_of(flights_, holds) &&
         waiting_->all_of(&QueuedRequest::on_disk);
}

Counter& SignalQueue::exporter_total(Counter*& cached, std::string_view prefix) {
  if (!cached) cached = &exporter_counter(prefix, signal_, id_);
  return *cached;
}

void SignalQueue::count_opaque(const Batch& batch, std::string_view outcome) const {
  if (batch.opaque) opaque_exporter_counter(id_, signal_, outcome).add(batch.bytes());
}

void SignalQueue::count_lost(uint64_t items, std::string_view reason) {
  dropped_counter(id_, signal_, reason).add(items);
}

}  // namespace sonde::pipeline
