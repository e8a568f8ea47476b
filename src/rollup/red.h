// SPDX-License-Identifier: Apache-2.0
// Rate, errors and duration as OpenTelemetry names them: cumulative histograms of servers and of
// clients with the attributes of each request's convention, one resource per service instance.
// Bounded by a cap on series per side of each convention; what is past it is counted in a series
// marked otel_metric_overflow. Series that nobody touched for a while are forgotten.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
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
  size_t max_series = 10000;  // Of each side of each convention.
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
  size_t series() const;
  uint64_t overflowed() const;

 private:
  struct State {
    Histogram duration{kDurationBounds}, request{kSizeBounds}, response{kSizeBounds};
  };
  using Table = SeriesTable<State>;
  using Series = Table::Series;
  using Resource = std::vector<std::string>;
  struct Family {
    const Convention* names;
    Table server, client;
  };
  Family& family_of(const Convention& names);
  static void write_side(MetricBatchBuilder& out, const std::vector<const Series*>& series,
                         const Convention& names, const Convention::Side& side, int64_t now);

  RedOptions options_;
  std::deque<Family> families_;  // In the order of their first request.
  std::map<Resource, std::vector<std::pair<std::string, std::string>>> described_;
};

}  // namespace sonde::rollup
