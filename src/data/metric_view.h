// SPDX-License-Identifier: Apache-2.0
// Reads the metrics of a chunk in place, as trace_view.h reads spans: for_each_metric() calls back
// with the metric, and the metric gives its points as ranges of views. A metric has one kind, so of
// numbers(), histograms(), exponential_histograms() and summaries() at most one is not empty.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "data/attribute_view.h"
#include "data/batch.h"
#include "data/function_ref.h"
#include "data/otlp_fields.h"

namespace sonde {

// A repeated scalar field, packed (as every writer sends it) or not.
class PackedView {
 public:
  enum class Encoding : uint8_t { Fixed64, Varint };
  PackedView() = default;
  PackedView(std::string_view message, uint32_t field, Encoding encoding)
      : message_(message), field_(field), encoding_(encoding) {}
  size_t size() const;
  void for_each(FunctionRef<void(uint64_t bits)> visit) const;

 private:
  std::string_view message_;
  uint32_t field_ = 0;
  Encoding encoding_ = Encoding::Fixed64;
};

struct NumberPointView {
  uint64_t start_ns = 0;
  uint64_t time_ns = 0;
  bool has_value = false;
  bool is_int = false;
  int64_t int_value = 0;
  double double_value = 0;
  uint32_t flags = 0;
  std::string_view message;
  double value() const { return is_int ? static_cast<double>(int_value) : double_value; }
  AttributesView attributes() const { return {message, otlp::number_point::kAttributes}; }
  static NumberPointView parse(std::string_view message);
};

struct HistogramPointView {
  uint64_t start_ns = 0;
  uint64_t time_ns = 0;
  uint64_t count = 0;
  std::optional<double> sum;
  std::optional<double> min;
  std::optional<double> max;
  uint32_t flags = 0;
  std::string_view message;
  AttributesView attributes() const { return {message, otlp::histogram_point::kAttributes}; }
  // Bounds are doubles as bits; counts are numbers. A peer may send lengths that do not match.
  void for_each_bound(FunctionRef<void(double)> visit) const;
  void for_each_bucket(FunctionRef<void(uint64_t)> visit) const;
  static HistogramPointView parse(std::string_view message);
};

struct ExponentialPointView {
  uint64_t start_ns = 0;
  uint64_t time_ns = 0;
  uint64_t count = 0;
  std::optional<double> sum;
  std::optional<double> min;
  std::optional<double> max;
  int32_t scale = 0;
  uint64_t zero_count = 0;
  double zero_threshold = 0;
  uint32_t flags = 0;
  struct Buckets {
    int32_t offset = 0;
    PackedView counts;
  };
  Buckets positive;
  Buckets negative;
  std::string_view message;
  AttributesView attributes() const { return {message, otlp::exponential_point::kAttributes}; }
  static ExponentialPointView parse(std::string_view message);
};

struct QuantileView {
  double quantile = 0;
  double value = 0;
  static QuantileView parse(std::string_view message);
};

struct SummaryPointView {
  uint64_t start_ns = 0;
  uint64_t time_ns = 0;
  uint64_t count = 0;
  double sum = 0;
  uint32_t flags = 0;
  std::string_view message;
  AttributesView attributes() const { return {message, otlp::summary_point::kAttributes}; }
  FieldRange<QuantileView> quantiles() const { return {message, otlp::summary_point::kQuantiles}; }
  static SummaryPointView parse(std::string_view message);
};

struct MetricView {
  enum class Kind : uint8_t { None, Gauge, Sum, Histogram, ExponentialHistogram, Summary };

  std::string_view name;
  std::string_view description;
  std::string_view unit;
  Kind kind = Kind::None;
  Temporality temporality = Temporality::Unspecified;
  bool monotonic = false;
  std::string_view message;
  std::string_view data;  // The body of the Gauge, Sum, Histogram ...

  FieldRange<NumberPointView> numbers() const {
    return points<NumberPointView>(kind == Kind::Gauge || kind == Kind::Sum);
  }
  FieldRange<HistogramPointView> histograms() const {
    return points<HistogramPointView>(kind == Kind::Histogram);
  }
  FieldRange<ExponentialPointView> exponential_histograms() const {
    return points<ExponentialPointView>(kind == Kind::ExponentialHistogram);
  }
  FieldRange<SummaryPointView> summaries() const {
    return points<SummaryPointView>(kind == Kind::Summary);
  }
  size_t point_count() const;

  static bool parse(std::string_view message, MetricView& out);

 private:
  template <class View>
  FieldRange<View> points(bool mine) const {
    return mine ? FieldRange<View>(data, otlp::points::kPoints) : FieldRange<View>();
  }
};

using MetricVisitor = FunctionRef<void(const ResourceView&, const ScopeView&, const MetricView&)>;
Result<> for_each_metric(std::string_view chunk, MetricVisitor visit);
inline Result<> for_each_metric(const Bytes& chunk, MetricVisitor visit) {
  return for_each_metric(chunk.view(), visit);
}
Result<> for_each_metric(const Batch& batch, MetricVisitor visit);

}  // namespace sonde
