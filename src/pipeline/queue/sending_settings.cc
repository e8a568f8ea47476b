// SPDX-License-Identifier: Apache-2.0
#include "pipeline/queue/sending_settings.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "base/ascii.h"
#include "config/ids.h"

namespace sonde::pipeline {

namespace {

Result<> check_retry(const RetrySettings& retry) {
  if (retry.max_elapsed_time == Duration{}) return {};
  for (const auto& [name, interval] : {std::pair("initial_interval", retry.initial_interval),
                                       std::pair("max_interval", retry.max_interval)}) {
    if (retry.max_elapsed_time >= interval) continue;
    return fail(ErrorKind::Invalid,
                fmt::format("retry_on_failure: `max_elapsed_time` ({}) must not be less than "
                            "`{}` ({}): make it longer, or 0 for no end",
                            config::format_duration(retry.max_elapsed_time), name,
                            config::format_duration(interval)));
  }
  return {};
}

Result<> check_partition(const PartitionSettings& partition) {
  std::set<std::string> seen;
  for (const std::string& key : partition.metadata_keys) {
    if (seen.insert(lower(key)).second) continue;
    return fail(
        ErrorKind::Invalid,
        fmt::format("sending_queue::batch::partition::metadata_keys: \"{}\" is there twice; "
                    "capitals make no difference",
                    key));
  }
  return {};
}

}  // namespace

Result<> check_sending(const SendingSettings& settings, NegativeTimeout negative) {
  if (settings.timeout < Duration{} && negative == NegativeTimeout::Refused) {
    return fail(ErrorKind::Invalid, fmt::format("`timeout` must not be negative, is {}",
                                                config::format_duration(settings.timeout)));
  }
  TRY(check_retry(settings.retry));
  const QueueSettings& queue = settings.queue;
  if (!queue.enabled) return {};
  if (queue.queue_size == 0) {
    return fail(ErrorKind::Invalid, "sending_queue: `queue_size` must be positive");
  }
  if (queue.num_consumers == 0) {
    return fail(ErrorKind::Invalid, "sending_queue: `num_consumers` must be positive");
  }
  if (!queue.storage.empty()) {
    auto id = config::parse_component_id(queue.storage);
    if (!id) return std::unexpected(at("sending_queue::storage", std::move(id.error())));
  }
  if (!queue.storage.empty() && queue.wait_for_result) {
    return fail(ErrorKind::Invalid,
                "sending_queue: `wait_for_result` cannot be used with `storage`: what is on disk "
                "is answered at once");
  }
  if (queue.block_on_overflow && queue.drop_on_overflow) {
    return fail(ErrorKind::Invalid,
                "sending_queue: `block_on_overflow` and `drop_on_overflow` exclude each other");
  }
  if (!queue.batch) return {};
  const QueueBatchSettings& batch = *queue.batch;
  if (queue.batch_counts() == "requests") {
    return fail(ErrorKind::Invalid,
                "sending_queue::batch: `sizer` must be items or bytes, and is what queue_size "
                "counts: requests");
  }
  if (batch.flush_timeout <= Duration{}) {
    return fail(ErrorKind::Invalid, "sending_queue::batch: `flush_timeout` must be positive");
  }
  TRY(check_partition(batch.partition));
  if (batch.max_size > 0 && batch.max_size < batch.min_size) {
    return fail(ErrorKind::Invalid,
                "sending_queue::batch: `max_size` must be greater than or equal to `min_size`");
  }
  if (queue.batch_counts() == queue.counts() && batch.min_size > queue.queue_size) {
    return fail(ErrorKind::Invalid,
                "sending_queue::batch: `min_size` must be less than or equal to `queue_size`");
  }
  return {};
}

}  // namespace sonde::pipeline
