// SPDX-License-Identifier: Apache-2.0
#include "pipeline/sending_settings.h"

namespace sonde::pipeline {

Result<> check_sending(const SendingSettings& settings) {
  const QueueSettings& queue = settings.queue;
  if (!queue.enabled) return {};
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
  if (batch.max_size > 0 && batch.max_size < batch.min_size) {
    return fail(ErrorKind::Invalid,
                "sending_queue::batch: `max_size` must be greater than or equal to `min_size`");
  }
  if (batch.sizer == queue.sizer && batch.min_size > queue.queue_size) {
    return fail(ErrorKind::Invalid,
                "sending_queue::batch: `min_size` must be less than or equal to `queue_size`");
  }
  return {};
}

}  // namespace sonde::pipeline
