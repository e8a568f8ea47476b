// SPDX-License-Identifier: Apache-2.0
//
// What stands between an exporter and a peer that may be away: a bounded queue, a bounded number of
// sends in flight, and retries with exponential backoff. The settings and the counters are the
// Collector's. With the queue on, a batch is acknowledged when it is queued; with it off, when the
// peer answered. Nothing is lost in silence: every record ends as sent or in a counter with a
// reason (queue_full, permanent, retries_exhausted, shutdown, rejected). It does not time requests
// out: the client that `send` uses does, with settings.timeout.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "base/result.h"
#include "base/scheduler.h"
#include "config/field.h"
#include "data/batch.h"

namespace sonde::pipeline {

struct QueueSettings {
  bool enabled = true;
  uint64_t queue_size = 1000;
  uint32_t num_consumers = 10;
  std::string sizer = "requests";
};

struct RetrySettings {
  bool enabled = true;
  Duration initial_interval = std::chrono::seconds(5);
  double randomization_factor = 0.5;
  double multiplier = 1.5;
  Duration max_interval = std::chrono::seconds(30);
  Duration max_elapsed_time = std::chrono::minutes(5);
};

struct SendingSettings {
  QueueSettings queue;
  RetrySettings retry;
  Duration timeout = std::chrono::seconds(5);
};

// `sending_queue`, `retry_on_failure` and `timeout`, to be embedded in an exporter's table:
//   embed(&Config::sending, kSendingFields)
inline constexpr auto kQueueFields = config::fields<QueueSettings>(
    config::field("enabled", &QueueSettings::enabled, "Whether batches wait in a queue."),
    config::field("queue_size", &QueueSettings::queue_size,
                  "How much the queue holds, in the sizer's unit.", {.min = 1}),
    config::field("num_consumers", &QueueSettings::num_consumers,
                  "How many requests may be in flight.", {.min = 1, .max = 1000}),
    config::field("sizer", &QueueSettings::sizer, "What queue_size counts.",
                  {.choices = "requests|items|bytes"}));
inline constexpr auto kRetryFields = config::fields<RetrySettings>(
    config::field("enabled", &RetrySettings::enabled,
                  "Whether a send is tried again when the peer is unavailable."),
    config::field("initial_interval", &RetrySettings::initial_interval,
                  "The wait before the first retry.", {.min = 0.001}),
    config::field("randomization_factor", &RetrySettings::randomization_factor,
                  "How far a wait may differ from the computed one.", {.min = 0, .max = 1}),
    config::field("multiplier", &RetrySettings::multiplier, "How each wait grows.", {.min = 1}),
    config::field("max_interval", &RetrySettings::max_interval, "The longest wait.",
                  {.min = 0.001}),
    config::field("max_elapsed_time", &RetrySettings::max_elapsed_time,
                  "When a batch is given up; 0 is never.", {.min = 0}));
inline constexpr auto kSendingFields = config::fields<SendingSettings>(
    config::field("sending_queue", &SendingSettings::queue, kQueueFields, "The queue."),
    config::field("retry_on_failure", &SendingSettings::retry, kRetryFields, "Retries."),
    config::field("timeout", &SendingSettings::timeout, "How long one request may take.",
                  {.min = 0.001}));

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

class SendingQueue {
 public:
  // `id` is the exporter's, for counters and logs.
  SendingQueue(Scheduler& scheduler, std::string_view id, const SendingSettings& settings,
               Send send);
  // What is still held is dropped and counted as shutdown.
  ~SendingQueue();
  SendingQueue(const SendingQueue&) = delete;
  SendingQueue& operator=(const SendingQueue&) = delete;

  void consume(Batch batch);
  // Takes nothing more; what is held is tried once more, without waiting. See drained().
  void stop();
  bool drained() const;
  size_t size() const;  // Batches held, those in flight included.

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace sonde::pipeline
