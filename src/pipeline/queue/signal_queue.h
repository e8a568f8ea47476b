// SPDX-License-Identifier: Apache-2.0
// The sending queue of one signal: admission and shutdown (signal_queue.cc), and batching, sends in
// flight and retries (signal_queue_send.cc). Private to sending_queue.cc, whose header says what it
// does.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/counters.h"
#include "pipeline/queue/queue_journal.h"
#include "pipeline/queue/queue_room.h"
#include "pipeline/queue/queued_request.h"
#include "pipeline/queue/send_status.h"
#include "pipeline/queue/sending_queue.h"
#include "pipeline/queue/waiting_requests.h"

namespace sonde::pipeline {

class SignalQueue : public std::enable_shared_from_this<SignalQueue> {
 public:
  SignalQueue(Scheduler& scheduler, std::string_view id, Signal signal,
              const SendingSettings& settings, std::shared_ptr<Send> send,
              std::shared_ptr<SendStatus> status, std::shared_ptr<QueueRoom> room);

  void restore(std::unique_ptr<QueueJournal> journal);
  // Goes on as the queue of an exporter with these settings: what waits and what is tried again is
  // sent with `send`, what is in flight ends as it began. `journal` is for what is in memory alone,
  // or nullptr. (signal_queue_reload.cc)
  void become(const SendingSettings& settings, std::shared_ptr<Send> send,
              std::shared_ptr<SendStatus> status, std::unique_ptr<QueueJournal> journal,
              std::shared_ptr<QueueRoom> room);
  // How many requests in flight were begun with it.
  size_t sending_with(const Send* send) const;
  QueueJournal* journal() const { return journal_.get(); }
  void consume(Batch batch);
  void stop();
  // Lets go of everything; the counters say what was lost by it.
  void abandon();
  bool drained() const;
  // Sets the gauges of what waits: how long the oldest, how many requests are in flight, and how
  // much a crash would lose.
  void show_waiting();
  size_t size() const { return waiting_->count() + overflow_.size() + active_; }

 private:
  // What a request in flight must give back when it has ended.
  struct Part {
    Room room;
    std::shared_ptr<SharedRoom> shared;
    Ack ack;
    int64_t queued_ns = 0;
    uint64_t items = 0;
    uint64_t bytes = 0;
    bool on_disk() const { return shared ? shared->room.on_disk() : room.on_disk(); }
  };
  struct Flight {
    uint32_t index = 0;
    uint32_t generation = 0;  // Tells a late answer from one for this request.
    bool busy = false;
    bool sending = false;      // Else it waits for a retry.
    const Send* by = nullptr;  // What it was begun with.
    Batch batch;
    std::vector<Part> parts;
    LogPosition place{};  // Of all of it, where it was under way before there was a disk.
    uint64_t items = 0;
    uint64_t bytes = 0;
    int64_t first_try_ns = 0;
    Duration interval{};
    TimerId timer = 0;
    bool on_disk() const {
      return place.segment != 0 || std::ranges::all_of(parts, &Part::on_disk);
    }
  };
  enum class Loaded : uint8_t { Yes, Gone, NotNow };

  void load_unfinished();
  void say_capacity() const;
  uint64_t cost_of(const QueuedRequest& request) const {
    return room_->cost_of({1, request.items, request.bytes});
  }
  bool fits(uint64_t cost) const {
    const uint64_t size = settings_.queue.queue_size;
    return cost <= size - std::min(used_, size);
  }
  void admit(QueuedRequest request);
  void refuse(QueuedRequest& request, Error error, std::string_view reason);
  void refuse_malformed(QueuedRequest& request, Error error);
  void admit_overflow();
  Loaded load(QueuedRequest& request);
  bool open(QueuedRequest& request);
  void keep(QueuedRequest& request);
  void keep(Flight& flight);
  void count_anew(Room& room, uint64_t items, uint64_t bytes);
  // A part of a request that is in memory alone becomes a request of its own.
  template <class Cut>
  void part_from_others(Cut& part);
  void set_aside_what_is_on_disk();

  void pump();
  void pump_after(Duration wait);
  void take(Flight& flight, QueuedRequest request, const WaitingRequests::Line& line);
  // False: the disk cannot be read now.
  bool fill(Flight& flight, WaitingRequests::Line& line);
  bool depart(WaitingRequests::Line& line);
  uint32_t free_flight();
  void attempt(uint32_t index);
  void settle(uint32_t index, uint32_t generation, Result<Sent> result);
  void retry_later(uint32_t index, Duration wait, const Error& error);
  void give_up(Flight& flight, const Error& error, std::string_view reason);
  void keep_on_disk(Flight& flight);
  void land(Flight& flight);
  void release(const Part& part);
  void give_back(const Room& room);

  Counter& exporter_total(Counter*& cached, std::string_view prefix);
  void count_lost(uint64_t items, std::string_view reason);
  // Of a batch that holds one request which nobody looked into; of others nothing.
  void count_opaque(const Batch& batch, std::string_view outcome) const;

  Scheduler& scheduler_;
  const std::string id_;
  const Signal signal_;
  SendingSettings settings_;
  std::shared_ptr<Send> send_;
  std::shared_ptr<SendStatus> status_;
  std::minstd_rand random_;
  Gauge& size_gauge_;
  Gauge& age_gauge_;
  Gauge& in_flight_gauge_;
  Gauge& at_risk_gauge_;
  Gauge& memory_gauge_;
  Counter* sent_ = nullptr;
  Counter* send_failed_ = nullptr;
  Counter* enqueue_failed_ = nullptr;
  Counter* retries_ = nullptr;
  std::unique_ptr<QueueJournal> journal_;

  std::shared_ptr<QueueRoom> room_;
  std::optional<WaitingRequests> waiting_;
  std::deque<QueuedRequest> overflow_;  // Not acknowledged: block_on_overflow.
  std::deque<Flight> flights_;  // A deque: a flight stays where it is while others are made.
  std::vector<uint32_t> free_;
  size_t active_ = 0;
  size_t kept_ = 0;  // Requests that the next process will send.
  size_t sending_ = 0;
  uint64_t flying_bytes_ = 0;
  uint64_t used_ = 0;
  TimerId flush_timer_ = 0;
  bool stopping_ = false;
  bool complaining_ = false;
};

}  // namespace sonde::pipeline
