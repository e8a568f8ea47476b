// SPDX-License-Identifier: Apache-2.0
#include "pipeline/sending_queue.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <map>
#include <random>

#include "base/counters.h"
#include "base/log.h"
#include "pipeline/own_telemetry.h"

namespace sonde::pipeline {
namespace {

struct Entry {
  Batch batch;
  uint64_t records = 0;
  uint64_t cost = 0;
  int64_t first_try_ns = 0;
  Duration interval{};
};

bool retryable(const Error& error) {
  return error.kind == ErrorKind::Unavailable || error.kind == ErrorKind::Exhausted;
}

}  // namespace

struct SendingQueue::Impl : std::enable_shared_from_this<Impl> {
  Impl(Scheduler& on, std::string_view name, const SendingSettings& with, Send how)
      : scheduler(on),
        id(name),
        settings(with),
        send(std::move(how)),
        random(static_cast<uint32_t>(on.clock().monotonic_ns())),
        size_gauge(gauge("otelcol_exporter_queue_size", "Size of the sending queue.",
                         {{"exporter", id}})) {
    gauge("otelcol_exporter_queue_capacity", "Capacity of the sending queue.", {{"exporter", id}})
        .set(static_cast<double>(settings.queue.queue_size));
  }

  uint64_t cost_of(const Batch& batch, uint64_t records) const {
    if (settings.queue.sizer == "items") return records;
    if (settings.queue.sizer == "bytes") return batch.bytes();
    return 1;
  }

  void consume(Batch batch) {
    Entry entry;
    entry.records = batch.items();
    entry.cost = cost_of(batch, entry.records);
    entry.batch = std::move(batch);
    if (stopping) {
      entry.batch.ack.fail({ErrorKind::Unavailable, id + ": shutting down", {}});
      count_lost(entry, "shutdown");
      return;
    }
    if (settings.queue.enabled) {
      if (entry.cost > settings.queue.queue_size - std::min(used, settings.queue.queue_size)) {
        exporter_counter("otelcol_exporter_enqueue_failed_", entry.batch.signal, id)
            .add(entry.records);
        entry.batch.ack.fail({ErrorKind::Exhausted, id + ": the sending queue is full", {}});
        count_lost(entry, "queue_full");
        return;
      }
      entry.batch.ack.deliver();
    }
    used += entry.cost;
    waiting.push_back(std::move(entry));
    pump();
  }

  void pump() {
    // Without a queue every batch goes out at once: who waits for it bounds their number.
    while (!waiting.empty() &&
           (!settings.queue.enabled || in_flight.size() < settings.queue.num_consumers)) {
      const uint64_t key = next_key++;
      Entry& entry = in_flight.emplace(key, std::move(waiting.front())).first->second;
      waiting.pop_front();
      entry.first_try_ns = scheduler.clock().monotonic_ns();
      entry.interval = settings.retry.initial_interval;
      attempt(key, entry);
    }
    size_gauge.set(static_cast<double>(used));
  }

  void attempt(uint64_t key, Entry& entry) {
    send(entry.batch, [self = weak_from_this(), key](Result<Sent> result) {
      auto impl = self.lock();
      if (!impl) return;
      // Posted: a client may answer within the call, while it still reads the batch.
      impl->scheduler.post([self, key, answer = std::move(result)]() mutable {
        if (auto still = self.lock()) still->settle(key, std::move(answer));
      });
    });
  }

  void settle(uint64_t key, Result<Sent> result) {
    const auto at = in_flight.find(key);
    if (at == in_flight.end()) return;
    Entry& entry = at->second;
    if (result) {
      const uint64_t rejected = std::min(result->rejected, entry.records);
      sent_counter(entry.batch.signal).add(entry.records - rejected);
      if (rejected > 0) {
        log_warn("{}: the peer rejected {} records: {}", id, rejected, result->message);
        exporter_counter("otelcol_exporter_send_failed_", entry.batch.signal, id).add(rejected);
        dropped_counter(id, entry.batch.signal, "rejected").add(rejected);
        entry.batch.ack.fail({ErrorKind::Invalid, result->message, {}}, rejected);
      } else {
        entry.batch.ack.deliver();
      }
      finish(at);
      return;
    }
    if (!retryable(result.error())) return give_up(at, result.error(), "permanent");
    if (!settings.retry.enabled) return give_up(at, result.error(), "retries_disabled");
    if (stopping) return give_up(at, result.error(), "shutdown");
    const Duration wait = std::max(next_wait(entry), result.error().retry_after);
    const Duration elapsed(scheduler.clock().monotonic_ns() - entry.first_try_ns);
    const Duration limit = settings.retry.max_elapsed_time;
    if (limit > Duration{} && elapsed + wait > limit) {
      return give_up(at, result.error(), "retries_exhausted");
    }
    counter("sonde_exporter_retries_total", "Sends that are tried again.", {{"exporter", id}})
        .add();
    if (!complaining) log_warn("{}: {}; trying again", id, result.error().message);
    complaining = true;
    timers[key] = scheduler.after(wait, [self = weak_from_this(), key] {
      auto impl = self.lock();
      if (!impl) return;
      impl->timers.erase(key);
      if (auto found = impl->in_flight.find(key); found != impl->in_flight.end()) {
        impl->attempt(key, found->second);
      }
    });
  }

  // Looked up once: with small requests the look-up would cost more than the rest of the queue.
  Counter& sent_counter(Signal signal) {
    Counter*& known = sent[static_cast<size_t>(signal)];
    if (known == nullptr) known = &exporter_counter("otelcol_exporter_sent_", signal, id);
    return *known;
  }

  Duration next_wait(Entry& entry) {
    const double base = static_cast<double>(entry.interval.count());
    const double spread = settings.retry.randomization_factor;
    std::uniform_real_distribution<double> factor(1 - spread, std::nextafter(1 + spread, 3.0));
    const double grown = std::min(base * settings.retry.multiplier,
                                  static_cast<double>(settings.retry.max_interval.count()));
    entry.interval = Duration(static_cast<int64_t>(grown));
    return Duration(static_cast<int64_t>(base * factor(random)));
  }

  void count_lost(const Entry& entry, std::string_view reason) {
    dropped_counter(id, entry.batch.signal, reason).add(entry.records);
  }

  void give_up(std::map<uint64_t, Entry>::iterator at, const Error& error,
               std::string_view reason) {
    Entry& entry = at->second;
    log_error("{}: dropping {} records ({}): {}", id, entry.records, reason, error.message);
    exporter_counter("otelcol_exporter_send_failed_", entry.batch.signal, id).add(entry.records);
    count_lost(entry, reason);
    entry.batch.ack.fail(error);
    finish(at);
  }

  void finish(std::map<uint64_t, Entry>::iterator at) {
    complaining = false;
    used -= at->second.cost;
    in_flight.erase(at);
    pump();
  }

  void stop() {
    stopping = true;
    // The keys are copied: a send that answers at once changes the maps.
    const auto pending = std::move(timers);
    timers.clear();
    for (const auto& [key, timer] : pending) {
      scheduler.cancel(timer);
      if (auto found = in_flight.find(key); found != in_flight.end()) attempt(key, found->second);
    }
    pump();
  }

  void abandon() {
    for (const auto& [key, timer] : timers) scheduler.cancel(timer);
    timers.clear();
    for (auto& [key, entry] : in_flight) waiting.push_back(std::move(entry));
    in_flight.clear();
    for (Entry& entry : waiting) {
      exporter_counter("otelcol_exporter_send_failed_", entry.batch.signal, id).add(entry.records);
      count_lost(entry, "shutdown");
      entry.batch.ack.fail({ErrorKind::Unavailable, id + ": shut down before it was sent", {}});
    }
    if (!waiting.empty()) log_error("{}: dropped {} batches at shutdown", id, waiting.size());
    waiting.clear();
    used = 0;
    size_gauge.set(0);
  }

  Scheduler& scheduler;
  const std::string id;
  const SendingSettings settings;
  Send send;
  std::minstd_rand random;
  Gauge& size_gauge;
  std::deque<Entry> waiting;
  std::map<uint64_t, Entry> in_flight;  // Being sent, or waiting for a retry.
  std::map<uint64_t, TimerId> timers;
  std::array<Counter*, 3> sent{};  // by signal
  uint64_t next_key = 1;
  uint64_t used = 0;
  bool stopping = false;
  bool complaining = false;
};

SendingQueue::SendingQueue(Scheduler& scheduler, std::string_view id,
                           const SendingSettings& settings, Send send)
    : impl_(std::make_shared<Impl>(scheduler, id, settings, std::move(send))) {}

SendingQueue::~SendingQueue() { impl_->abandon(); }

void SendingQueue::consume(Batch batch) { impl_->consume(std::move(batch)); }
void SendingQueue::stop() { impl_->stop(); }
bool SendingQueue::drained() const { return impl_->waiting.empty() && impl_->in_flight.empty(); }
size_t SendingQueue::size() const { return impl_->waiting.size() + impl_->in_flight.size(); }

}  // namespace sonde::pipeline
