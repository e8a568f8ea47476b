// SPDX-License-Identifier: Apache-2.0
// The settings of a sending queue, spelled and meant as the Collector's: `sending_queue`,
// `retry_on_failure` and `timeout`, to be embedded in an exporter's table:
//   embed(&Config::sending, kSendingFields)
// Its validate() must call check_sending().
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "config/field.h"

namespace sonde::pipeline {

struct PartitionSettings {
  std::vector<std::string> metadata_keys;
};

// How requests are put together when they leave the queue.
struct QueueBatchSettings {
  Duration flush_timeout = std::chrono::milliseconds(200);
  uint64_t min_size = 8192;
  uint64_t max_size = 0;  // 0: no bound, and nothing is cut.
  std::string sizer;      // Empty: the queue's, where that is given; else items.
  PartitionSettings partition;
};

struct QueueSettings {
  bool enabled = true;
  uint64_t queue_size = 1000;
  uint32_t num_consumers = 10;
  std::string sizer;  // Empty: requests.
  bool block_on_overflow = false;
  bool drop_on_overflow = false;
  bool wait_for_result = false;
  std::string storage;
  std::optional<QueueBatchSettings> batch;

  std::string_view counts() const { return sizer.empty() ? "requests" : std::string_view(sizer); }
  // What min_size and max_size of `batch`, which must be there, count.
  std::string_view batch_counts() const {
    if (!batch->sizer.empty()) return batch->sizer;
    return sizer.empty() ? "items" : std::string_view(sizer);
  }
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

  // For ever is a day: a request that nobody answers must end at some time.
  Duration request_timeout() const {
    return timeout <= Duration{} ? std::chrono::hours(24) : timeout;
  }
};

// What no field says alone. Over HTTP a negative timeout is none, as the Collector has it.
enum class NegativeTimeout : uint8_t { Refused, Taken };
Result<> check_sending(const SendingSettings& settings,
                       NegativeTimeout negative = NegativeTimeout::Refused);

inline constexpr auto kPartitionFields = config::fields<PartitionSettings>(
    config::field("metadata_keys", &PartitionSettings::metadata_keys,
                  "Names of request metadata: requests are put together only where these agree."));
inline constexpr auto kQueueBatchFields = config::fields<QueueBatchSettings>(
    config::field("flush_timeout", &QueueBatchSettings::flush_timeout,
                  "How long a request waits for others."),
    config::field("min_size", &QueueBatchSettings::min_size,
                  "The size, in the sizer's unit, at which requests are sent."),
    config::field("max_size", &QueueBatchSettings::max_size,
                  "The size over which a request is cut; 0 is never."),
    config::field(
        "sizer", &QueueBatchSettings::sizer,
        "What min_size and max_size count; empty: what queue_size counts if that is said, "
        "else items.",
        {.choices = "items|bytes", .null_is_absent = true}),
    config::field("partition", &QueueBatchSettings::partition, kPartitionFields,
                  "What is kept apart."));
inline constexpr auto kQueueFields = config::fields<QueueSettings>(
    config::field("enabled", &QueueSettings::enabled, "Whether batches wait in a queue.",
                  {.not_null = true}),
    config::field("queue_size", &QueueSettings::queue_size,
                  "How much the queue of each signal holds, in the sizer's unit."),
    config::field("num_consumers", &QueueSettings::num_consumers,
                  "How many requests of each signal may be in flight."),
    config::field("sizer", &QueueSettings::sizer, "What queue_size counts; empty: requests.",
                  {.choices = "requests|items|bytes", .null_is_absent = true}),
    config::field("block_on_overflow", &QueueSettings::block_on_overflow,
                  "Whether a sender waits for room, up to once more the queue's size, instead of "
                  "being refused."),
    config::field("drop_on_overflow", &QueueSettings::drop_on_overflow,
                  "Whether what does not fit is dropped and counted instead of being refused, so "
                  "that a full queue never holds up the other exporters of a sender."),
    config::field("wait_for_result", &QueueSettings::wait_for_result,
                  "Whether a sender is answered only when the peer has answered."),
    config::field("storage", &QueueSettings::storage,
                  "The storage extension that keeps the queue over a restart; in memory when "
                  "empty.",
                  {.extension = true}),
    config::field("batch", &QueueSettings::batch, kQueueBatchFields,
                  "Puts requests together when they leave the queue."));
inline constexpr auto kRetryFields = config::fields<RetrySettings>(
    config::field("enabled", &RetrySettings::enabled,
                  "Whether a send is tried again when the peer is unavailable."),
    config::field("initial_interval", &RetrySettings::initial_interval,
                  "The wait before the first retry.", {.min = 0}),
    config::field("randomization_factor", &RetrySettings::randomization_factor,
                  "How far a wait may differ from the computed one.", {.min = 0, .max = 1}),
    config::field("multiplier", &RetrySettings::multiplier, "How each wait grows.", {.min = 0}),
    config::field("max_interval", &RetrySettings::max_interval, "The longest wait.", {.min = 0}),
    config::field("max_elapsed_time", &RetrySettings::max_elapsed_time,
                  "When a batch is given up; 0 is never.", {.min = 0}));
inline constexpr auto kSendingFields = config::fields<SendingSettings>(
    config::field("sending_queue", &SendingSettings::queue, kQueueFields, "The queue.",
                  {.unset_keeps = true}),
    config::field("retry_on_failure", &SendingSettings::retry, kRetryFields, "Retries."),
    config::field("timeout", &SendingSettings::timeout,
                  "How long one request may take; 0 is a day."));

}  // namespace sonde::pipeline
