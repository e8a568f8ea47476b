// SPDX-License-Identifier: Apache-2.0
#include "data/batch.h"

#include "data/metric_view.h"
#include "data/walk.h"

namespace sonde {

size_t count_records(Signal signal, std::string_view chunk) {
  size_t count = 0;
  // What was counted before an error is what a reader of the views would have seen as well.
  (void)for_each_record(chunk, [&](const ResourceView&, const ScopeView&, std::string_view record) {
    MetricView metric;
    if (signal != Signal::Metrics)
      ++count;
    else if (MetricView::parse(record, metric))
      count += metric.point_count();
    return true;
  });
  return count;
}

size_t count_records(const Batch& batch) {
  size_t count = 0;
  for (const Bytes& chunk : batch.chunks) count += count_records(batch.signal, chunk.view());
  return count;
}

}  // namespace sonde
