// SPDX-License-Identifier: Apache-2.0
// How many items a chunk holds: spans, log records or metric data points. It hops from length to
// length down to the items and never looks inside one (a metric is opened, since its points are the
// items), so counting costs a few nanoseconds an item.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.h"
#include "data/batch.h"

namespace sonde {

// Exactly as many as a protobuf parser finds. An error (Invalid) when the bytes do not parse down
// to the items; what lies inside an item is not judged here.
Result<size_t> count_items(Signal signal, std::string_view chunk);

// The same of the messages below a request: the body of a ResourceSpans (ResourceMetrics,
// ResourceLogs), of a ScopeSpans (...), and of one Span, LogRecord or Metric.
Result<size_t> count_items_of_group(Signal signal, std::string_view group);
Result<size_t> count_items_of_scope(Signal signal, std::string_view scope);
Result<size_t> count_items_of_record(Signal signal, std::string_view record);

}  // namespace sonde
