// SPDX-License-Identifier: Apache-2.0
#include "data/edit.h"

#include <string>

#include "data/group_buffer.h"

namespace sonde {

SpanView SpanEdit::original() const {
  SpanView view;
  if (!SpanView::parse(message_->original(), view)) view = {};
  return view;
}

void SpanEdit::set_status(StatusCode code, std::string_view message) {
  std::string body;
  proto::Writer writer(body);
  if (!message.empty()) writer.bytes(otlp::status::kMessage, message);
  if (code != StatusCode::Unset) writer.varint(otlp::status::kCode, static_cast<uint64_t>(code));
  message_->set_bytes(otlp::span::kStatus, body);
}

size_t SpanEdit::for_each_event(FunctionRef<bool(EventEdit&)> visit) {
  return message_->for_each_child(otlp::span::kEvents, otlp::event::kAttributes,
                                  [&](MessageEdit& child) {
                                    EventEdit event(child);
                                    return visit(event);
                                  });
}

size_t SpanEdit::for_each_link(FunctionRef<bool(LinkEdit&)> visit) {
  return message_->for_each_child(otlp::span::kLinks, otlp::link::kAttributes,
                                  [&](MessageEdit& child) {
                                    LinkEdit link(child);
                                    return visit(link);
                                  });
}

LogView LogEdit::original() const {
  LogView view;
  if (!LogView::parse(message_->original(), view)) view = {};
  return view;
}

void LogEdit::set_body(const AttributeValue& value) {
  std::string body(attribute_wire::value_size(value), '\0');
  attribute_wire::put_value(body.data(), value);
  message_->set_bytes(otlp::log::kBody, body);
}

void LogEdit::set_severity(uint32_t number, std::string_view text) {
  if (number != 0)
    message_->set_varint(otlp::log::kSeverityNumber, number);
  else
    message_->erase_field(otlp::log::kSeverityNumber);
  if (!text.empty())
    message_->set_bytes(otlp::log::kSeverityText, text);
  else
    message_->erase_field(otlp::log::kSeverityText);
}

MetricView MetricEdit::original() const {
  MetricView view;
  if (!MetricView::parse(message_->original(), view)) view = {};
  return view;
}

namespace {

struct KindFields {
  uint32_t metric = 0;  // Of the kind in the metric.
  uint32_t attributes = 0;
  uint32_t exemplars = 0;  // 0: it has none.
};

KindFields fields_of(MetricView::Kind kind) {
  using Kind = MetricView::Kind;
  using namespace otlp;
  switch (kind) {
    case Kind::Gauge:
      return {metric::kGauge, number_point::kAttributes, number_point::kExemplars};
    case Kind::Sum:
      return {metric::kSum, number_point::kAttributes, number_point::kExemplars};
    case Kind::Histogram:
      return {metric::kHistogram, histogram_point::kAttributes, histogram_point::kExemplars};
    case Kind::ExponentialHistogram:
      return {metric::kExponentialHistogram, exponential_point::kAttributes,
              exponential_point::kExemplars};
    case Kind::Summary:
      return {metric::kSummary, summary_point::kAttributes, 0};
    case Kind::None:
      break;
  }
  return {};
}

}  // namespace

size_t MetricEdit::for_each_point(FunctionRef<bool(PointEdit&)> visit) {
  const MetricView::Kind kind = original().kind;
  const KindFields fields = fields_of(kind);
  if (fields.metric == 0) return 0;
  size_t kept = 0;
  size_t seen = 0;
  message_->for_each_child(fields.metric, 0, [&](MessageEdit& data) {
    kept += data.for_each_child(otlp::points::kPoints, fields.attributes, [&](MessageEdit& child) {
      PointEdit point(child, kind);
      ++seen;
      return visit(point);
    });
    return true;
  });
  if (kept < seen) dropped_points_ = true;
  emptied_ = dropped_points_ && kept == 0;
  return kept;
}

size_t PointEdit::for_each_exemplar(FunctionRef<bool(MessageEdit&)> visit) {
  const uint32_t exemplars = fields_of(kind_).exemplars;
  if (exemplars == 0) return 0;
  return message_->for_each_child(exemplars, otlp::exemplar::kAttributes, visit);
}

}  // namespace sonde
