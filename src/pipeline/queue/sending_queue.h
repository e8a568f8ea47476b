// SPDX-License-Identifier: Apache-2.0
//
// What stands between an exporter and a peer that may be away: a bounded queue for each signal, a
// bounded number of sends in flight, and retries with exponential backoff. The settings and the
// counters are the Collector's. With the queue on, a batch is acknowledged when it is queued (on
// disk, where a storage is named), or with wait_for_result when the peer answered; with it off,
// when the peer answered. Nothing is lost in silence: every record ends as sent, on disk, or in a
// counter with a reason (queue_full, too_large, disk_full, disk_failed, permanent,
// retries_disabled, retries_exhausted, shutdown, rejected, damaged). It does not time requests out:
// the client that `send` uses does, with settings.timeout.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/repeating_timer.h"
#include "base/result.h"
#include "base/scheduler.h"
#include "data/batch.h"
#include "pipeline/component.h"
#include "pipeline/queue/sending_settings.h"

namespace sonde::pipeline {

// What the peer took: `rejected` records of the batch were refused (OTLP's partial success).
struct Sent {
  uint64_t rejected = 0;
  std::string message = {};
};
using SendDone = std::move_only_function<void(Result<Sent>)>;
// Starts one request and calls `done` once, now or later, on the same scheduler. Unavailable and
// Exhausted are tried again, after error.retry_after where the peer said so; other kinds are not.
// The batch is only valid during the call; its chunks may be copied cheaply.
using Send = std::move_only_function<void(const Batch&, SendDone done)>;

class QueueJournal;
class SendStatus;
class QueueRoom;
class SignalQueue;
class Storage;

class SendingQueue {
 public:
  // `id` is the exporter's, for counters and logs.
  SendingQueue(Scheduler& scheduler, std::string_view id, const SendingSettings& settings,
               Send send);
  // What is still held in memory alone is dropped and counted as shutdown.
  ~SendingQueue();
  SendingQueue(const SendingQueue&) = delete;
  SendingQueue& operator=(const SendingQueue&) = delete;

  // Reports there how the peer fares: a recoverable error while it fails, ok when it works again.
  // Takes the storage that the settings name, if they name one, and begins to send what an earlier
  // process left there. Before the first consume(). An error when the extension is not running or
  // its directory cannot be used.
  // With `predecessor`, the queue of an exporter that this one is to replace: what comes goes there
  // until take_over(), and nothing of it is lost when that never comes.
  Result<> restore(Host& host, SendingQueue* predecessor = nullptr);
  // From now on what the predecessor holds is sent as this one's settings say, and what may still
  // be given to the predecessor comes here. Its requests in flight end as they began. A queue on
  // disk that this one does not keep in the same directory stays where it is, the predecessor's.
  void take_over();

  void consume(Batch batch);
  // As Sink::gates(): the queue of this signal, where there is one. Safe on any thread.
  void gates(Signal signal, Gates& out) const;
  // Cutting and joining requests, and keeping them on disk, take their items; sending does not.
  static bool looks_inside(const SendingSettings& settings) {
    return settings.queue.enabled && (settings.queue.batch || !settings.queue.storage.empty());
  }
  // Takes nothing more. What is held in memory alone is tried once more, without waiting; what is
  // on disk stays there, but for the requests in flight. See drained().
  void stop();
  bool drained() const;
  size_t size() const;  // Batches held, those in flight included.

 private:
  SignalQueue& of(Signal signal);
  // What cannot be joined goes on as it came, request by request.
  SendingSettings settings_of(Signal signal) const;
  Result<> open(Signal signal);

  Scheduler& scheduler_;
  const std::string id_;
  const SendingSettings settings_;
  // Shared, so that it outlives neither queue: an answer may come when one is gone.
  std::shared_ptr<Send> send_;
  std::shared_ptr<SendStatus> status_;
  BySignal<std::shared_ptr<QueueRoom>> rooms_;
  BySignal<std::shared_ptr<SignalQueue>> queues_;  // Made by the first batch of its signal.
  RepeatingTimer shown_;
  bool stopping_ = false;

  SendingQueue* predecessor_ = nullptr;  // Until take_over().
  Storage* storage_ = nullptr;
  BySignal<std::unique_ptr<QueueJournal>> journals_;  // For queues that are in memory now.
  BySignal<bool> given_;                              // Queues that are a successor's now.
};

}  // namespace sonde::pipeline
