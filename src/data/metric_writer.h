// SPDX-License-Identifier: Apache-2.0
// Builds a batch of metrics as canonical OTLP bytes. A call of gauge(), sum() or histogram() opens
// a metric, and the points that follow belong to it:
//   MetricBatchBuilder b;
//   b.resource({{"service.name", "cart"}}).scope("sonde", "0.1");
//   b.sum({.name = "http.requests", .unit = "{request}"}).point({{"method", "GET"}}, int64_t{3},
//   t); b.histogram({.name = "http.server.request.duration", .unit = "s"});
//   b.histogram_point(attributes, {.count = 1, .sum = 0.2, .bounds = bounds, .buckets = counts},
//   t);
// A metric without points is left out. It writes no exemplars and no exponential histograms.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "data/attribute.h"
#include "data/batch.h"
#include "data/group_buffer.h"
#include "data/otlp_fields.h"

namespace sonde {

struct MetricFields {
  std::string_view name;
  std::string_view unit{};
  std::string_view description{};
  Temporality temporality = Temporality::Cumulative;  // Not for gauges.
  bool monotonic = true;                              // For sums only.
};

struct PointTime {
  uint64_t start_ns = 0;
  uint64_t time_ns = 0;
};

struct HistogramFields {
  uint64_t count = 0;
  double sum = 0;
  std::optional<double> min{};
  std::optional<double> max{};
  std::span<const double> bounds{};
  std::span<const uint64_t> buckets{};  // One more than bounds; or both empty.
};

class MetricBatchBuilder {
 public:
  MetricBatchBuilder& resource(Attributes attributes);
  MetricBatchBuilder& scope(std::string_view name, std::string_view version = {});

  MetricBatchBuilder& gauge(const MetricFields& fields);
  MetricBatchBuilder& sum(const MetricFields& fields);
  MetricBatchBuilder& histogram(const MetricFields& fields);

  MetricBatchBuilder& point(Attributes attributes, int64_t value, PointTime time);
  MetricBatchBuilder& point(Attributes attributes, double value, PointTime time);
  MetricBatchBuilder& histogram_point(Attributes attributes, const HistogramFields& fields,
                                      PointTime time);

  size_t points() const { return points_; }
  bool empty() const { return points_ == 0; }
  // The batch so far; the builder is empty again and keeps its memory.
  Batch build(Ack ack = {});

 private:
  void open(uint32_t data_field, const MetricFields& fields);
  void close();
  void number_point(Attributes attributes, uint32_t value_field, uint64_t bits, PointTime time);

  GroupBuffer buffer_;
  std::string head_;  // Name, description and unit of the open metric.
  std::string data_;  // Its points so far.
  uint32_t data_field_ = 0;
  Temporality temporality_ = Temporality::Unspecified;
  bool monotonic_ = false;
  size_t points_ = 0;
};

}  // namespace sonde
