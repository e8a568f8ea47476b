// SPDX-License-Identifier: Apache-2.0
// Rate, errors and duration as OpenTelemetry names them: cumulative http.server.* and http.client.*
// histograms with the attributes of the semantic conventions, one resource per service instance.
// Bounded by a cap on series per side; what is past it is counted in a series marked
// otel_metric_overflow. Series that nobody touched for a while are forgotten.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "data/attribute.h"
#include "data/metric_writer.h"
#include "rollup/histogram.h"
#include "rollup/observation.h"
#include "rollup/series_table.h"

namespace sonde::rollup {

struct RedOptions {
  size_t max_series = 10000;  // Of each side.
  std::chrono::nanoseconds expiry = std::chrono::minutes(5);
};

class Red {
 public:
  explicit Red(RedOptions options = {});
  void observe(const Observation& o);
  // Further attributes of a service instance's resource. Only text is kept; of what is not,
  // nothing.
  void describe(std::string_view service, std::string_view service_namespace,
                std::string_view instance, Attributes attributes);
  void write_metrics(MetricBatchBuilder& out, int64_t now_unix_ns);
  size_t series() const { return server_.size() + client_.size(); }
  uint64_t overflowed() const { return server_.overflowed() + client_.overflowed(); }

 private:
  struct Http {
    Histogram duration{kDurationBounds}, request{kSizeBounds}, response{kSizeBounds};
  };
  using Table = SeriesTable<Http>;
  using Series = Table::Series;
  using Resource = std::vector<std::string>;
  void write_side(MetricBatchBuilder& out, const std::vector<const Series*>& series,
                  std::string_view side, int64_t now) const;

  RedOptions options_;
  Table server_, client_;
  std::map<Resource, std::vector<std::pair<std::string, std::string>>> described_;
};

}  // namespace sonde::rollup
