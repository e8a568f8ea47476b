// SPDX-License-Identifier: Apache-2.0
#include "data/metric_writer.h"

#include <bit>
#include <utility>

#include "base/check.h"
#include "data/wire.h"

namespace sonde {

using proto::Writer;

MetricBatchBuilder& MetricBatchBuilder::resource(Attributes attributes) {
  close();
  buffer_.resource(attributes);
  return *this;
}

MetricBatchBuilder& MetricBatchBuilder::scope(std::string_view name, std::string_view version) {
  close();
  buffer_.scope(name, version);
  return *this;
}

MetricBatchBuilder& MetricBatchBuilder::gauge(const MetricFields& fields) {
  open(otlp::metric::kGauge, fields);
  temporality_ = Temporality::Unspecified;
  return *this;
}

MetricBatchBuilder& MetricBatchBuilder::sum(const MetricFields& fields) {
  open(otlp::metric::kSum, fields);
  monotonic_ = fields.monotonic;
  return *this;
}

MetricBatchBuilder& MetricBatchBuilder::histogram(const MetricFields& fields) {
  open(otlp::metric::kHistogram, fields);
  return *this;
}

void MetricBatchBuilder::open(uint32_t data_field, const MetricFields& fields) {
  close();
  data_field_ = data_field;
  temporality_ = fields.temporality;
  monotonic_ = false;
  Writer writer(head_);
  if (!fields.name.empty()) writer.bytes(otlp::metric::kName, fields.name);
  if (!fields.description.empty()) writer.bytes(otlp::metric::kDescription, fields.description);
  if (!fields.unit.empty()) writer.bytes(otlp::metric::kUnit, fields.unit);
}

void MetricBatchBuilder::close() {
  if (!data_.empty()) {
    Writer data(data_);
    if (temporality_ != Temporality::Unspecified)
      data.varint(otlp::points::kTemporality, static_cast<uint64_t>(temporality_));
    if (monotonic_) data.varint(otlp::points::kMonotonic, 1);
    const size_t size = head_.size() + proto::bytes_size(data_field_, data_.size());
    buffer_.open();
    Writer out(buffer_.records());
    out.raw_varint(proto::tag_of(otlp::scope_group::kRecords, proto::Type::Bytes));
    out.raw_varint(size);
    out.raw(head_);
    out.bytes(data_field_, data_);
  }
  head_.clear();
  data_.clear();
  data_field_ = 0;
}

void MetricBatchBuilder::number_point(Attributes attributes, uint32_t value_field, uint64_t bits,
                                      PointTime time) {
  CHECK(data_field_ == otlp::metric::kGauge || data_field_ == otlp::metric::kSum,
        "a number point needs an open gauge or sum");
  namespace f = otlp::number_point;
  Writer out(data_);
  out.nested(otlp::points::kPoints, [&] {
    if (time.start_ns != 0) out.fixed64(otlp::point::kStart, time.start_ns);
    if (time.time_ns != 0) out.fixed64(otlp::point::kTime, time.time_ns);
    out.fixed64(value_field, bits);
    attribute_wire::append(data_, f::kAttributes, attributes);
  });
  ++points_;
}

MetricBatchBuilder& MetricBatchBuilder::point(Attributes attributes, int64_t value,
                                              PointTime time) {
  number_point(attributes, otlp::number_point::kInt, static_cast<uint64_t>(value), time);
  return *this;
}

MetricBatchBuilder& MetricBatchBuilder::point(Attributes attributes, double value, PointTime time) {
  number_point(attributes, otlp::number_point::kDouble, std::bit_cast<uint64_t>(value), time);
  return *this;
}

MetricBatchBuilder& MetricBatchBuilder::histogram_point(Attributes attributes,
                                                        const HistogramFields& h, PointTime time) {
  CHECK(data_field_ == otlp::metric::kHistogram, "a histogram point needs an open histogram");
  CHECK(h.buckets.size() == h.bounds.size() + 1 || (h.buckets.empty() && h.bounds.empty()),
        "a histogram has one bucket more than it has bounds");
  namespace f = otlp::histogram_point;
  Writer out(data_);
  out.nested(otlp::points::kPoints, [&] {
    if (time.start_ns != 0) out.fixed64(otlp::point::kStart, time.start_ns);
    if (time.time_ns != 0) out.fixed64(otlp::point::kTime, time.time_ns);
    if (h.count != 0) out.fixed64(f::kCount, h.count);
    out.float64(f::kSum, h.sum);
    // Packed arrays of eight-byte little-endian numbers are the arrays as they lie in memory.
    const auto packed = [&](uint32_t number, const void* data, size_t count) {
      if (count > 0) out.bytes(number, {static_cast<const char*>(data), count * 8});
    };
    packed(f::kBuckets, h.buckets.data(), h.buckets.size());
    packed(f::kBounds, h.bounds.data(), h.bounds.size());
    attribute_wire::append(data_, f::kAttributes, attributes);
    if (h.min) out.float64(f::kMin, *h.min);
    if (h.max) out.float64(f::kMax, *h.max);
  });
  ++points_;
  return *this;
}

Batch MetricBatchBuilder::build(Ack ack) {
  close();
  points_ = 0;
  std::vector<Bytes> chunks;
  if (Bytes chunk = buffer_.build(); !chunk.empty()) chunks.push_back(std::move(chunk));
  return {Signal::Metrics, std::move(chunks), std::move(ack)};
}

}  // namespace sonde
