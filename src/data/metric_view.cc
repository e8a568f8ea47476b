// SPDX-License-Identifier: Apache-2.0
#include "data/metric_view.h"

#include "data/walk.h"

namespace sonde {
namespace {

using proto::Field;
using proto::Reader;
using proto::Type;

// The two times that all kinds of points have at the same numbers.
template <class View>
bool parse_times(const Field& field, View& out) {
  if (field.type != Type::Fixed64) return false;
  if (field.number == otlp::point::kStart) return out.start_ns = field.value, true;
  if (field.number == otlp::point::kTime) return out.time_ns = field.value, true;
  return false;
}

ExponentialPointView::Buckets parse_buckets(std::string_view message) {
  ExponentialPointView::Buckets out;
  Reader reader(message);
  Field field;
  while (reader.next(field))
    if (field.number == otlp::buckets::kOffset && field.type == Type::Varint)
      out.offset = field.as_sint32();
  out.counts = {message, otlp::buckets::kCounts, PackedView::Encoding::Varint};
  return out;
}

}  // namespace

void PackedView::for_each(FunctionRef<void(uint64_t bits)> visit) const {
  Reader reader(message_);
  Field field;
  const Type single = encoding_ == Encoding::Varint ? Type::Varint : Type::Fixed64;
  while (reader.next(field)) {
    if (field.number != field_) continue;
    if (field.type == single) visit(field.value);
    if (field.type != Type::Bytes) continue;
    const char* at = field.bytes.data();
    const char* end = at + field.bytes.size();
    while (at < end) {
      uint64_t bits = 0;
      if (encoding_ == Encoding::Varint) {
        at = proto::read_varint(at, end, bits);
        if (at == nullptr) return;
      } else {
        if (end - at < 8) return;
        std::memcpy(&bits, at, 8);
        at += 8;
      }
      visit(bits);
    }
  }
}

size_t PackedView::size() const {
  size_t count = 0;
  for_each([&](uint64_t) { ++count; });
  return count;
}

NumberPointView NumberPointView::parse(std::string_view message) {
  namespace f = otlp::number_point;
  NumberPointView out;
  out.message = message;
  Reader reader(message);
  Field field;
  while (reader.next(field)) {
    if (parse_times(field, out)) continue;
    if (field.type == Type::Fixed64 && field.number == f::kDouble) {
      out.has_value = true;
      out.is_int = false;
      out.double_value = field.as_double();
    } else if (field.type == Type::Fixed64 && field.number == f::kInt) {
      out.has_value = out.is_int = true;
      out.int_value = field.as_int64();
    } else if (field.type == Type::Varint && field.number == f::kFlags) {
      out.flags = static_cast<uint32_t>(field.value);
    }
  }
  return out;
}

HistogramPointView HistogramPointView::parse(std::string_view message) {
  namespace f = otlp::histogram_point;
  HistogramPointView out;
  out.message = message;
  Reader reader(message);
  Field field;
  while (reader.next(field)) {
    if (parse_times(field, out)) continue;
    if (field.type == Type::Fixed64) {
      if (field.number == f::kCount) out.count = field.value;
      if (field.number == f::kSum) out.sum = field.as_double();
      if (field.number == f::kMin) out.min = field.as_double();
      if (field.number == f::kMax) out.max = field.as_double();
    } else if (field.type == Type::Varint && field.number == f::kFlags) {
      out.flags = static_cast<uint32_t>(field.value);
    }
  }
  return out;
}

void HistogramPointView::for_each_bound(FunctionRef<void(double)> visit) const {
  PackedView(message, otlp::histogram_point::kBounds, PackedView::Encoding::Fixed64)
      .for_each([&](uint64_t bits) { visit(std::bit_cast<double>(bits)); });
}

void HistogramPointView::for_each_bucket(FunctionRef<void(uint64_t)> visit) const {
  PackedView(message, otlp::histogram_point::kBuckets, PackedView::Encoding::Fixed64)
      .for_each(visit);
}

ExponentialPointView ExponentialPointView::parse(std::string_view message) {
  namespace f = otlp::exponential_point;
  ExponentialPointView out;
  out.message = message;
  Reader reader(message);
  Field field;
  while (reader.next(field)) {
    if (parse_times(field, out)) continue;
    if (field.type == Type::Fixed64) {
      if (field.number == f::kCount) out.count = field.value;
      if (field.number == f::kSum) out.sum = field.as_double();
      if (field.number == f::kMin) out.min = field.as_double();
      if (field.number == f::kMax) out.max = field.as_double();
      if (field.number == f::kZeroCount) out.zero_count = field.value;
      if (field.number == f::kZeroThreshold) out.zero_threshold = field.as_double();
    } else if (field.type == Type::Varint) {
      if (field.number == f::kScale) out.scale = field.as_sint32();
      if (field.number == f::kFlags) out.flags = static_cast<uint32_t>(field.value);
    } else if (field.type == Type::Bytes) {
      if (field.number == f::kPositive) out.positive = parse_buckets(field.bytes);
      if (field.number == f::kNegative) out.negative = parse_buckets(field.bytes);
    }
  }
  return out;
}

QuantileView QuantileView::parse(std::string_view message) {
  QuantileView out;
  Reader reader(message);
  Field field;
  while (reader.next(field)) {
    if (field.type != Type::Fixed64) continue;
    if (field.number == otlp::quantile::kQuantile) out.quantile = field.as_double();
    if (field.number == otlp::quantile::kValue) out.value = field.as_double();
  }
  return out;
}

SummaryPointView SummaryPointView::parse(std::string_view message) {
  SummaryPointView out;
  out.message = message;
  Reader reader(message);
  Field field;
  while (reader.next(field)) {
    if (field.number == otlp::summary_point::kFlags && field.type == Type::Varint) {
      out.flags = static_cast<uint32_t>(field.value);
    }
    if (parse_times(field, out) || field.type != Type::Fixed64) continue;
    if (field.number == otlp::summary_point::kCount) out.count = field.value;
    if (field.number == otlp::summary_point::kSum) out.sum = field.as_double();
  }
  return out;
}

bool MetricView::parse(std::string_view message, MetricView& out) {
  namespace f = otlp::metric;
  out = {};
  out.message = message;
  Reader reader(message);
  Field field;
  while (reader.next(field)) {
    if (field.type != Type::Bytes) continue;
    const auto data = [&](Kind kind) {
      out.kind = kind;
      out.data = field.bytes;
    };
    switch (field.number) {
      case f::kName:
        out.name = field.bytes;
        break;
      case f::kDescription:
        out.description = field.bytes;
        break;
      case f::kUnit:
        out.unit = field.bytes;
        break;
      case f::kGauge:
        data(Kind::Gauge);
        break;
      case f::kSum:
        data(Kind::Sum);
        break;
      case f::kHistogram:
        data(Kind::Histogram);
        break;
      case f::kExponentialHistogram:
        data(Kind::ExponentialHistogram);
        break;
      case f::kSummary:
        data(Kind::Summary);
        break;
      default:
        break;
    }
  }
  if (!reader.ok()) return false;
  Reader data(out.data);
  while (data.next(field)) {
    if (field.type != Type::Varint) continue;
    if (field.number == otlp::points::kTemporality && field.value <= 2)
      out.temporality = static_cast<Temporality>(field.value);
    if (field.number == otlp::points::kMonotonic) out.monotonic = field.value != 0;
  }
  return data.ok();
}

size_t MetricView::point_count() const {
  size_t count = 0;
  Reader reader(data);
  Field field;
  while (reader.next(field))
    count += field.type == Type::Bytes && field.number == otlp::points::kPoints ? 1 : 0;
  return count;
}

Result<> for_each_metric(std::string_view chunk, MetricVisitor visit) {
  MetricView metric;
  return for_each_record(
      chunk, [&](const ResourceView& resource, const ScopeView& scope, std::string_view record) {
        if (!MetricView::parse(record, metric)) return false;
        visit(resource, scope, metric);
        return true;
      });
}

Result<> for_each_metric(const Batch& batch, MetricVisitor visit) {
  for (const Bytes& chunk : batch.chunks) TRY(for_each_metric(chunk.view(), visit));
  return {};
}

}  // namespace sonde
