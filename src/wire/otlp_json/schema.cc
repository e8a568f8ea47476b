// SPDX-License-Identifier: Apache-2.0
#include "wire/otlp_json/schema.h"

#include "data/otlp_fields.h"

namespace sonde::wire {
namespace {

using K = Kind;
using R = Rule;
using S = std::string_view;

constexpr S kSpanKinds[] = {"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER",
                            "SPAN_KIND_CLIENT",      "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER"};
constexpr S kStatusCodes[] = {"STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"};
constexpr S kTemporalities[] = {"AGGREGATION_TEMPORALITY_UNSPECIFIED",
                                "AGGREGATION_TEMPORALITY_DELTA",
                                "AGGREGATION_TEMPORALITY_CUMULATIVE"};
constexpr S kSeverities[] = {
    "SEVERITY_NUMBER_UNSPECIFIED", "SEVERITY_NUMBER_TRACE",  "SEVERITY_NUMBER_TRACE2",
    "SEVERITY_NUMBER_TRACE3",      "SEVERITY_NUMBER_TRACE4", "SEVERITY_NUMBER_DEBUG",
    "SEVERITY_NUMBER_DEBUG2",      "SEVERITY_NUMBER_DEBUG3", "SEVERITY_NUMBER_DEBUG4",
    "SEVERITY_NUMBER_INFO",        "SEVERITY_NUMBER_INFO2",  "SEVERITY_NUMBER_INFO3",
    "SEVERITY_NUMBER_INFO4",       "SEVERITY_NUMBER_WARN",   "SEVERITY_NUMBER_WARN2",
    "SEVERITY_NUMBER_WARN3",       "SEVERITY_NUMBER_WARN4",  "SEVERITY_NUMBER_ERROR",
    "SEVERITY_NUMBER_ERROR2",      "SEVERITY_NUMBER_ERROR3", "SEVERITY_NUMBER_ERROR4",
    "SEVERITY_NUMBER_FATAL",       "SEVERITY_NUMBER_FATAL2", "SEVERITY_NUMBER_FATAL3",
    "SEVERITY_NUMBER_FATAL4"};

// Values nest: arrays and maps hold values again.
extern const Message kAnyValue;

constexpr FieldInfo kKeyValueFields[] = {
    {otlp::key_value::kKey, "key", K::String},
    {otlp::key_value::kValue, "value", K::Message, R::Plain, &kAnyValue},
};
constexpr Message kKeyValue{kKeyValueFields};

constexpr FieldInfo kArrayFields[] = {
    {otlp::list::kValues, "values", K::Message, R::Repeated, &kAnyValue},
};
constexpr Message kArray{kArrayFields};

constexpr FieldInfo kMapFields[] = {
    {otlp::list::kValues, "values", K::Message, R::Repeated, &kKeyValue},
};
constexpr Message kMap{kMapFields};

constexpr FieldInfo kAnyValueFields[] = {
    {otlp::any_value::kString, "stringValue", K::String, R::Oneof},
    {otlp::any_value::kBool, "boolValue", K::Bool, R::Oneof},
    {otlp::any_value::kInt, "intValue", K::Int64, R::Oneof},
    {otlp::any_value::kDouble, "doubleValue", K::Double, R::Oneof},
    {otlp::any_value::kArray, "arrayValue", K::Message, R::Oneof, &kArray},
    {otlp::any_value::kMap, "kvlistValue", K::Message, R::Oneof, &kMap},
    {otlp::any_value::kBytes, "bytesValue", K::Base64, R::Oneof},
};
constinit const Message kAnyValue{kAnyValueFields};

constexpr uint32_t kEntityUrl = 1, kEntityType = 2, kEntityIdKeys = 3, kEntityTextKeys = 4;
constexpr FieldInfo kEntityRefFields[] = {
    {kEntityUrl, "schemaUrl", K::String},
    {kEntityType, "type", K::String},
    {kEntityIdKeys, "idKeys", K::String, R::Repeated},
    {kEntityTextKeys, "descriptionKeys", K::String, R::Repeated},
};
constexpr Message kEntityRef{kEntityRefFields};

constexpr FieldInfo kResourceFields[] = {
    {otlp::resource::kAttributes, "attributes", K::Message, R::Repeated, &kKeyValue},
    {otlp::resource::kDroppedAttributes, "droppedAttributesCount", K::Uint32},
    {otlp::resource::kEntityRefs, "entityRefs", K::Message, R::Repeated, &kEntityRef},
};
constexpr Message kResource{kResourceFields};

constexpr FieldInfo kScopeFields[] = {
    {otlp::scope::kName, "name", K::String},
    {otlp::scope::kVersion, "version", K::String},
    {otlp::scope::kAttributes, "attributes", K::Message, R::Repeated, &kKeyValue},
    {otlp::scope::kDroppedAttributes, "droppedAttributesCount", K::Uint32},
};
constexpr Message kScope{kScopeFields};

constexpr FieldInfo kEventFields[] = {
    {otlp::event::kTime, "timeUnixNano", K::Fixed64},
    {otlp::event::kName, "name", K::String},
    {otlp::event::kAttributes, "attributes", K::Message, R::Repeated, &kKeyValue},
    {otlp::event::kDroppedAttributes, "droppedAttributesCount", K::Uint32},
};
constexpr Message kEvent{kEventFields};

constexpr FieldInfo kLinkFields[] = {
    {otlp::link::kTraceId, "traceId", K::HexId},
    {otlp::link::kSpanId, "spanId", K::HexId},
    {otlp::link::kTraceState, "traceState", K::String},
    {otlp::link::kAttributes, "attributes", K::Message, R::Repeated, &kKeyValue},
    {otlp::link::kDroppedAttributes, "droppedAttributesCount", K::Uint32},
    {otlp::link::kFlags, "flags", K::Fixed32},
};
constexpr Message kLink{kLinkFields};

constexpr FieldInfo kStatusFields[] = {
    {otlp::status::kMessage, "message", K::String},
    {otlp::status::kCode, "code", K::Enum, R::Plain, nullptr, kStatusCodes},
};
constexpr Message kStatus{kStatusFields};

constexpr FieldInfo kSpanFields[] = {
    {otlp::span::kTraceId, "traceId", K::HexId},
    {otlp::span::kSpanId, "spanId", K::HexId},
    {otlp::span::kTraceState, "traceState", K::String},
    {otlp::span::kParentSpanId, "parentSpanId", K::HexId},
    {otlp::span::kFlags, "flags", K::Fixed32},
    {otlp::span::kName, "name", K::String},
    {otlp::span::kKind, "kind", K::Enum, R::Plain, nullptr, kSpanKinds},
    {otlp::span::kStart, "startTimeUnixNano", K::Fixed64},
    {otlp::span::kEnd, "endTimeUnixNano", K::Fixed64},
    {otlp::span::kAttributes, "attributes", K::Message, R::Repeated, &kKeyValue},
    {otlp::span::kDroppedAttributes, "droppedAttributesCount", K::Uint32},
    {otlp::span::kEvents, "events", K::Message, R::Repeated, &kEvent},
    {otlp::span::kDroppedEvents, "droppedEventsCount", K::Uint32},
    {otlp::span::kLinks, "links", K::Message, R::Repeated, &kLink},
    {otlp::span::kDroppedLinks, "droppedLinksCount", K::Uint32},
    {otlp::span::kStatus, "status", K::Message, R::Plain, &kStatus},
};
constexpr Message kSpan{kSpanFields};

constexpr FieldInfo kLogFields[] = {
    {otlp::log::kTime, "timeUnixNano", K::Fixed64},
    {otlp::log::kObservedTime, "observedTimeUnixNano", K::Fixed64},
    {otlp::log::kSeverityNumber, "severityNumber", K::Enum, R::Plain, nullptr, kSeverities},
    {otlp::log::kSeverityText, "severityText", K::String},
    {otlp::log::kBody, "body", K::Message, R::Plain, &kAnyValue},
    {otlp::log::kAttributes, "attributes", K::Message, R::Repeated, &kKeyValue},
    {otlp::log::kDroppedAttributes, "droppedAttributesCount", K::Uint32},
    {otlp::log::kFlags, "flags", K::Fixed32},
    {otlp::log::kTraceId, "traceId", K::HexId},
    {otlp::log::kSpanId, "spanId", K::HexId},
    {otlp::log::kEventName, "eventName", K::String},
};
constexpr Message kLog{kLogFields};

constexpr FieldInfo kExemplarFields[] = {
    {otlp::exemplar::kAttributes, "filteredAttributes", K::Message, R::Repeated, &kKeyValue},
    {otlp::exemplar::kTime, "timeUnixNano", K::Fixed64},
    {otlp::exemplar::kDouble, "asDouble", K::Double, R::Oneof},
    {otlp::exemplar::kInt, "asInt", K::Sfixed64, R::Oneof},
    {otlp::exemplar::kSpanId, "spanId", K::HexId},
    {otlp::exemplar::kTraceId, "traceId", K::HexId},
};
constexpr Message kExemplar{kExemplarFields};

constexpr FieldInfo kNumberPointFields[] = {
    {otlp::number_point::kAttributes, "attributes", K::Message, R::Repeated, &kKeyValue},
    {otlp::point::kStart, "startTimeUnixNano", K::Fixed64},
    {otlp::point::kTime, "timeUnixNano", K::Fixed64},
    {otlp::number_point::kDouble, "asDouble", K::Double, R::Oneof},
    {otlp::number_point::kInt, "asInt", K::Sfixed64, R::Oneof},
    {otlp::number_point::kExemplars, "exemplars", K::Message, R::Repeated, &kExemplar},
    {otlp::number_point::kFlags, "flags", K::Uint32},
};
constexpr Message kNumberPoint{kNumberPointFields};

constexpr FieldInfo kHistogramPointFields[] = {
    {otlp::histogram_point::kAttributes, "attributes", K::Message, R::Repeated, &kKeyValue},
    {otlp::point::kStart, "startTimeUnixNano", K::Fixed64},
    {otlp::point::kTime, "timeUnixNano", K::Fixed64},
    {otlp::histogram_point::kCount, "count", K::Fixed64},
    {otlp::histogram_point::kSum, "sum", K::Double, R::Optional},
    {otlp::histogram_point::kBuckets, "bucketCounts", K::Fixed64, R::Repeated},
    {otlp::histogram_point::kBounds, "explicitBounds", K::Double, R::Repeated},
    {otlp::histogram_point::kExemplars, "exemplars", K::Message, R::Repeated, &kExemplar},
    {otlp::histogram_point::kFlags, "flags", K::Uint32},
    {otlp::histogram_point::kMin, "min", K::Double, R::Optional},
    {otlp::histogram_point::kMax, "max", K::Double, R::Optional},
};
constexpr Message kHistogramPoint{kHistogramPointFields};

constexpr FieldInfo kBucketsFields[] = {
    {otlp::buckets::kOffset, "offset", K::Sint32},
    {otlp::buckets::kCounts, "bucketCounts", K::Uint64, R::Repeated},
};
constexpr Message kBuckets{kBucketsFields};

constexpr FieldInfo kExponentialPointFields[] = {
    {otlp::exponential_point::kAttributes, "attributes", K::Message, R::Repeated, &kKeyValue},
    {otlp::point::kStart, "startTimeUnixNano", K::Fixed64},
    {otlp::point::kTime, "timeUnixNano", K::Fixed64},
    {otlp::exponential_point::kCount, "count", K::Fixed64},
    {otlp::exponential_point::kSum, "sum", K::Double, R::Optional},
    {otlp::exponential_point::kScale, "scale", K::Sint32},
    {otlp::exponential_point::kZeroCount, "zeroCount", K::Fixed64},
    {otlp::exponential_point::kPositive, "positive", K::Message, R::Plain, &kBuckets},
    {otlp::exponential_point::kNegative, "negative", K::Message, R::Plain, &kBuckets},
    {otlp::exponential_point::kFlags, "flags", K::Uint32},
    {otlp::exponential_point::kExemplars, "exemplars", K::Message, R::Repeated, &kExemplar},
    {otlp::exponential_point::kMin, "min", K::Double, R::Optional},
    {otlp::exponential_point::kMax, "max", K::Double, R::Optional},
    {otlp::exponential_point::kZeroThreshold, "zeroThreshold", K::Double},
};
constexpr Message kExponentialPoint{kExponentialPointFields};

constexpr FieldInfo kQuantileFields[] = {
    {otlp::quantile::kQuantile, "quantile", K::Double},
    {otlp::quantile::kValue, "value", K::Double},
};
constexpr Message kQuantile{kQuantileFields};

constexpr FieldInfo kSummaryPointFields[] = {
    {otlp::summary_point::kAttributes, "attributes", K::Message, R::Repeated, &kKeyValue},
    {otlp::point::kStart, "startTimeUnixNano", K::Fixed64},
    {otlp::point::kTime, "timeUnixNano", K::Fixed64},
    {otlp::summary_point::kCount, "count", K::Fixed64},
    {otlp::summary_point::kSum, "sum", K::Double},
    {otlp::summary_point::kQuantiles, "quantileValues", K::Message, R::Repeated, &kQuantile},
    {otlp::summary_point::kFlags, "flags", K::Uint32},
};
constexpr Message kSummaryPoint{kSummaryPointFields};

constexpr FieldInfo kGaugeFields[] = {
    {otlp::points::kPoints, "dataPoints", K::Message, R::Repeated, &kNumberPoint},
};
constexpr Message kGauge{kGaugeFields};

constexpr FieldInfo kSumFields[] = {
    {otlp::points::kPoints, "dataPoints", K::Message, R::Repeated, &kNumberPoint},
    {otlp::points::kTemporality, "aggregationTemporality", K::Enum, R::Plain, nullptr,
     kTemporalities},
    {otlp::points::kMonotonic, "isMonotonic", K::Bool},
};
constexpr Message kSum{kSumFields};

constexpr FieldInfo kHistogramFields[] = {
    {otlp::points::kPoints, "dataPoints", K::Message, R::Repeated, &kHistogramPoint},
    {otlp::points::kTemporality, "aggregationTemporality", K::Enum, R::Plain, nullptr,
     kTemporalities},
};
constexpr Message kHistogram{kHistogramFields};

constexpr FieldInfo kExponentialFields[] = {
    {otlp::points::kPoints, "dataPoints", K::Message, R::Repeated, &kExponentialPoint},
    {otlp::points::kTemporality, "aggregationTemporality", K::Enum, R::Plain, nullptr,
     kTemporalities},
};
constexpr Message kExponential{kExponentialFields};

constexpr FieldInfo kSummaryFields[] = {
    {otlp::points::kPoints, "dataPoints", K::Message, R::Repeated, &kSummaryPoint},
};
constexpr Message kSummary{kSummaryFields};

constexpr FieldInfo kMetricFields[] = {
    {otlp::metric::kName, "name", K::String},
    {otlp::metric::kDescription, "description", K::String},
    {otlp::metric::kUnit, "unit", K::String},
    {otlp::metric::kGauge, "gauge", K::Message, R::Oneof, &kGauge},
    {otlp::metric::kSum, "sum", K::Message, R::Oneof, &kSum},
    {otlp::metric::kHistogram, "histogram", K::Message, R::Oneof, &kHistogram},
    {otlp::metric::kExponentialHistogram, "exponentialHistogram", K::Message, R::Oneof,
     &kExponential},
    {otlp::metric::kSummary, "summary", K::Message, R::Oneof, &kSummary},
    {otlp::metric::kMetadata, "metadata", K::Message, R::Repeated, &kKeyValue},
};
constexpr Message kMetric{kMetricFields};

// The three levels above a record, and the answer, for each of the three kinds of records.
struct Names {
  S groups, scopes, records, rejected;
};
constexpr Names kTraces{"resourceSpans", "scopeSpans", "spans", "rejectedSpans"};
constexpr Names kMetrics{"resourceMetrics", "scopeMetrics", "metrics", "rejectedDataPoints"};
constexpr Names kLogs{"resourceLogs", "scopeLogs", "logRecords", "rejectedLogRecords"};

template <const Message& kRecord, const Names& kNames>
struct Service {
  static constexpr FieldInfo kScopeGroupFields[] = {
      {otlp::scope_group::kScope, "scope", K::Message, R::Plain, &kScope},
      {otlp::scope_group::kRecords, kNames.records, K::Message, R::Repeated, &kRecord},
      {otlp::scope_group::kSchemaUrl, "schemaUrl", K::String},
  };
  static constexpr Message kScopeGroup{kScopeGroupFields};
  static constexpr FieldInfo kGroupFields[] = {
      {otlp::group::kResource, "resource", K::Message, R::Plain, &kResource},
      {otlp::group::kScopes, kNames.scopes, K::Message, R::Repeated, &kScopeGroup},
      {otlp::group::kSchemaUrl, "schemaUrl", K::String},
  };
  static constexpr Message kGroup{kGroupFields};
  static constexpr FieldInfo kRequestFields[] = {
      {otlp::request::kGroups, kNames.groups, K::Message, R::Repeated, &kGroup}};
  static constexpr Message kRequest{kRequestFields};

  static constexpr FieldInfo kPartialFields[] = {{1, kNames.rejected, K::Int64},
                                                 {2, "errorMessage", K::String}};
  static constexpr Message kPartial{kPartialFields};
  static constexpr FieldInfo kResponseFields[] = {
      {1, "partialSuccess", K::Message, R::Plain, &kPartial}};
  static constexpr Message kResponse{kResponseFields};

  static const Message& of(OtlpBody body) {
    return body == OtlpBody::Request ? kRequest : kResponse;
  }
};

}  // namespace

const Message& any_value_schema() { return kAnyValue; }

const Message& schema_of(Signal signal, OtlpBody body) {
  switch (signal) {
    case Signal::Traces:
      return Service<kSpan, kTraces>::of(body);
    case Signal::Metrics:
      return Service<kMetric, kMetrics>::of(body);
    case Signal::Logs:
      break;
  }
  return Service<kLog, kLogs>::of(body);
}

}  // namespace sonde::wire
