// SPDX-License-Identifier: Apache-2.0
#include "data/otlp_schema.h"

#include "data/otlp_fields.h"
#include "data/otlp_schema_parts.h"

namespace sonde::otlp {
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

constexpr FieldInfo kKeyValueFields[] = {
    {key_value::kKey, "key", K::String},
    {key_value::kValue, "value", K::Message, R::Plain, &kAnyValue},
    {key_value::kKeyIndex, "keyStrindex", K::Enum},
};
constexpr Message kKeyValue{"KeyValue", kKeyValueFields};

constexpr FieldInfo kArrayFields[] = {
    {list::kValues, "values", K::Message, R::Repeated, &kAnyValue},
};
constexpr Message kArray{"ArrayValue", kArrayFields};

constexpr FieldInfo kMapFields[] = {
    {list::kValues, "values", K::Message, R::Repeated, &kKeyValue},
};
constexpr Message kMap{"KeyValueList", kMapFields};

constexpr FieldInfo kAnyValueFields[] = {
    {any_value::kString, "stringValue", K::String, R::Oneof},
    {any_value::kBool, "boolValue", K::Bool, R::Oneof},
    {any_value::kInt, "intValue", K::Int64, R::Oneof},
    {any_value::kDouble, "doubleValue", K::Double, R::Oneof},
    {any_value::kArray, "arrayValue", K::Message, R::Oneof, &kArray},
    {any_value::kMap, "kvlistValue", K::Message, R::Oneof, &kMap},
    {any_value::kBytes, "bytesValue", K::Base64, R::Oneof},
    {any_value::kStringIndex, "stringValueStrindex", K::Enum, R::Oneof},
};
constexpr FieldInfo kEntityRefFields[] = {
    {entity_ref::kSchemaUrl, "schemaUrl", K::String},
    {entity_ref::kType, "type", K::String},
    {entity_ref::kIdKeys, "idKeys", K::String, R::Repeated},
    {entity_ref::kDescriptionKeys, "descriptionKeys", K::String, R::Repeated},
};
constexpr Message kEntityRef{"EntityRef", kEntityRefFields};

constexpr FieldInfo kResourceFields[] = {
    {resource::kAttributes, "attributes", K::Message, R::Repeated, &kKeyValue},
    {resource::kDroppedAttributes, "droppedAttributesCount", K::Uint32},
    {resource::kEntityRefs, "entityRefs", K::Message, R::Repeated, &kEntityRef},
};
constexpr FieldInfo kScopeFields[] = {
    {scope::kName, "name", K::String},
    {scope::kVersion, "version", K::String},
    {scope::kAttributes, "attributes", K::Message, R::Repeated, &kKeyValue},
    {scope::kDroppedAttributes, "droppedAttributesCount", K::Uint32},
};
}  // namespace

constinit const Message kAnyValue{"AnyValue", kAnyValueFields};
constinit const Message kResource{"Resource", kResourceFields};
constinit const Message kScope{"InstrumentationScope", kScopeFields};

namespace {

constexpr FieldInfo kEventFields[] = {
    {event::kTime, "timeUnixNano", K::Fixed64},
    {event::kName, "name", K::String},
    {event::kAttributes, "attributes", K::Message, R::Repeated, &kKeyValue},
    {event::kDroppedAttributes, "droppedAttributesCount", K::Uint32},
};
constexpr Message kEvent{"Event", kEventFields};

constexpr FieldInfo kLinkFields[] = {
    {link::kTraceId, "traceId", K::TraceId},
    {link::kSpanId, "spanId", K::SpanId},
    {link::kTraceState, "traceState", K::String},
    {link::kAttributes, "attributes", K::Message, R::Repeated, &kKeyValue},
    {link::kDroppedAttributes, "droppedAttributesCount", K::Uint32},
    {link::kFlags, "flags", K::Fixed32},
};
constexpr Message kLink{"Link", kLinkFields};

constexpr FieldInfo kStatusFields[] = {
    {status::kMessage, "message", K::String},
    {status::kCode, "code", K::Enum, R::Plain, nullptr, kStatusCodes},
};
constexpr Message kStatus{"Status", kStatusFields};

constexpr FieldInfo kSpanFields[] = {
    {span::kTraceId, "traceId", K::TraceId},
    {span::kSpanId, "spanId", K::SpanId},
    {span::kTraceState, "traceState", K::String},
    {span::kParentSpanId, "parentSpanId", K::SpanId},
    {span::kFlags, "flags", K::Fixed32},
    {span::kName, "name", K::String},
    {span::kKind, "kind", K::Enum, R::Plain, nullptr, kSpanKinds},
    {span::kStart, "startTimeUnixNano", K::Fixed64},
    {span::kEnd, "endTimeUnixNano", K::Fixed64},
    {span::kAttributes, "attributes", K::Message, R::Repeated, &kKeyValue},
    {span::kDroppedAttributes, "droppedAttributesCount", K::Uint32},
    {span::kEvents, "events", K::Message, R::Repeated, &kEvent},
    {span::kDroppedEvents, "droppedEventsCount", K::Uint32},
    {span::kLinks, "links", K::Message, R::Repeated, &kLink},
    {span::kDroppedLinks, "droppedLinksCount", K::Uint32},
    {span::kStatus, "status", K::Message, R::Plain, &kStatus},
};
constexpr Message kSpan{"Span", kSpanFields};

constexpr FieldInfo kLogFields[] = {
    {log::kTime, "timeUnixNano", K::Fixed64},
    {log::kObservedTime, "observedTimeUnixNano", K::Fixed64},
    {log::kSeverityNumber, "severityNumber", K::Enum, R::Plain, nullptr, kSeverities},
    {log::kSeverityText, "severityText", K::String},
    {log::kBody, "body", K::Message, R::Plain, &kAnyValue},
    {log::kAttributes, "attributes", K::Message, R::Repeated, &kKeyValue},
    {log::kDroppedAttributes, "droppedAttributesCount", K::Uint32},
    {log::kFlags, "flags", K::Fixed32},
    {log::kTraceId, "traceId", K::TraceId},
    {log::kSpanId, "spanId", K::SpanId},
    {log::kEventName, "eventName", K::String},
};
constexpr Message kLog{"LogRecord", kLogFields};

constexpr FieldInfo kExemplarFields[] = {
    {exemplar::kAttributes, "filteredAttributes", K::Message, R::Repeated, &kKeyValue},
    {exemplar::kTime, "timeUnixNano", K::Fixed64},
    {exemplar::kDouble, "asDouble", K::Double, R::Oneof},
    {exemplar::kInt, "asInt", K::Sfixed64, R::Oneof},
    {exemplar::kSpanId, "spanId", K::SpanId},
    {exemplar::kTraceId, "traceId", K::TraceId},
};
constexpr Message kExemplar{"Exemplar", kExemplarFields};

constexpr FieldInfo kNumberPointFields[] = {
    {number_point::kAttributes, "attributes", K::Message, R::Repeated, &kKeyValue},
    {point::kStart, "startTimeUnixNano", K::Fixed64},
    {point::kTime, "timeUnixNano", K::Fixed64},
    {number_point::kDouble, "asDouble", K::Double, R::Oneof},
    {number_point::kInt, "asInt", K::Sfixed64, R::Oneof},
    {number_point::kExemplars, "exemplars", K::Message, R::Repeated, &kExemplar},
    {number_point::kFlags, "flags", K::Uint32},
};
constexpr Message kNumberPoint{"NumberDataPoint", kNumberPointFields};

constexpr FieldInfo kHistogramPointFields[] = {
    {histogram_point::kAttributes, "attributes", K::Message, R::Repeated, &kKeyValue},
    {point::kStart, "startTimeUnixNano", K::Fixed64},
    {point::kTime, "timeUnixNano", K::Fixed64},
    {histogram_point::kCount, "count", K::Fixed64},
    {histogram_point::kSum, "sum", K::Double, R::Optional},
    {histogram_point::kBuckets, "bucketCounts", K::Fixed64, R::Repeated},
    {histogram_point::kBounds, "explicitBounds", K::Double, R::Repeated},
    {histogram_point::kExemplars, "exemplars", K::Message, R::Repeated, &kExemplar},
    {histogram_point::kFlags, "flags", K::Uint32},
    {histogram_point::kMin, "min", K::Double, R::Optional},
    {histogram_point::kMax, "max", K::Double, R::Optional},
};
constexpr Message kHistogramPoint{"HistogramDataPoint", kHistogramPointFields};

constexpr FieldInfo kBucketsFields[] = {
    {buckets::kOffset, "offset", K::Sint32},
    {buckets::kCounts, "bucketCounts", K::Uint64, R::Repeated},
};
constexpr Message kBuckets{"Buckets", kBucketsFields};

constexpr FieldInfo kExponentialPointFields[] = {
    {exponential_point::kAttributes, "attributes", K::Message, R::Repeated, &kKeyValue},
    {point::kStart, "startTimeUnixNano", K::Fixed64},
    {point::kTime, "timeUnixNano", K::Fixed64},
    {exponential_point::kCount, "count", K::Fixed64},
    {exponential_point::kSum, "sum", K::Double, R::Optional},
    {exponential_point::kScale, "scale", K::Sint32},
    {exponential_point::kZeroCount, "zeroCount", K::Fixed64},
    {exponential_point::kPositive, "positive", K::Message, R::Plain, &kBuckets},
    {exponential_point::kNegative, "negative", K::Message, R::Plain, &kBuckets},
    {exponential_point::kFlags, "flags", K::Uint32},
    {exponential_point::kExemplars, "exemplars", K::Message, R::Repeated, &kExemplar},
    {exponential_point::kMin, "min", K::Double, R::Optional},
    {exponential_point::kMax, "max", K::Double, R::Optional},
    {exponential_point::kZeroThreshold, "zeroThreshold", K::Double},
};
constexpr Message kExponentialPoint{"ExponentialHistogramDataPoint", kExponentialPointFields};

constexpr FieldInfo kQuantileFields[] = {
    {quantile::kQuantile, "quantile", K::Double},
    {quantile::kValue, "value", K::Double},
};
constexpr Message kQuantile{"ValueAtQuantile", kQuantileFields};

constexpr FieldInfo kSummaryPointFields[] = {
    {summary_point::kAttributes, "attributes", K::Message, R::Repeated, &kKeyValue},
    {point::kStart, "startTimeUnixNano", K::Fixed64},
    {point::kTime, "timeUnixNano", K::Fixed64},
    {summary_point::kCount, "count", K::Fixed64},
    {summary_point::kSum, "sum", K::Double},
    {summary_point::kQuantiles, "quantileValues", K::Message, R::Repeated, &kQuantile},
    {summary_point::kFlags, "flags", K::Uint32},
};
constexpr Message kSummaryPoint{"SummaryDataPoint", kSummaryPointFields};

constexpr FieldInfo kGaugeFields[] = {
    {points::kPoints, "dataPoints", K::Message, R::Repeated, &kNumberPoint},
};
constexpr Message kGauge{"Gauge", kGaugeFields};

constexpr FieldInfo kSumFields[] = {
    {points::kPoints, "dataPoints", K::Message, R::Repeated, &kNumberPoint},
    {points::kTemporality, "aggregationTemporality", K::Enum, R::Plain, nullptr, kTemporalities},
    {points::kMonotonic, "isMonotonic", K::Bool},
};
constexpr Message kSum{"Sum", kSumFields};

constexpr FieldInfo kHistogramFields[] = {
    {points::kPoints, "dataPoints", K::Message, R::Repeated, &kHistogramPoint},
    {points::kTemporality, "aggregationTemporality", K::Enum, R::Plain, nullptr, kTemporalities},
};
constexpr Message kHistogram{"Histogram", kHistogramFields};

constexpr FieldInfo kExponentialFields[] = {
    {points::kPoints, "dataPoints", K::Message, R::Repeated, &kExponentialPoint},
    {points::kTemporality, "aggregationTemporality", K::Enum, R::Plain, nullptr, kTemporalities},
};
constexpr Message kExponential{"ExponentialHistogram", kExponentialFields};

constexpr FieldInfo kSummaryFields[] = {
    {points::kPoints, "dataPoints", K::Message, R::Repeated, &kSummaryPoint},
};
constexpr Message kSummary{"Summary", kSummaryFields};

constexpr FieldInfo kMetricFields[] = {
    {metric::kName, "name", K::String},
    {metric::kDescription, "description", K::String},
    {metric::kUnit, "unit", K::String},
    {metric::kGauge, "gauge", K::Message, R::Oneof, &kGauge},
    {metric::kSum, "sum", K::Message, R::Oneof, &kSum},
    {metric::kHistogram, "histogram", K::Message, R::Oneof, &kHistogram},
    {metric::kExponentialHistogram, "exponentialHistogram", K::Message, R::Oneof, &kExponential},
    {metric::kSummary, "summary", K::Message, R::Oneof, &kSummary},
    {metric::kMetadata, "metadata", K::Message, R::Repeated, &kKeyValue},
};
constexpr Message kMetric{"Metric", kMetricFields};

// The three levels above a record, and the answer, for each of the three kinds of records: their
// fields and, below, their messages.
struct Names {
  S groups, scopes, records, rejected;
  S request, group, scope_group, response, partial;
};
constexpr Names kTraces{"resourceSpans",
                        "scopeSpans",
                        "spans",
                        "rejectedSpans",
                        "ExportTraceServiceRequest",
                        "ResourceSpans",
                        "ScopeSpans",
                        "ExportTraceServiceResponse",
                        "ExportTracePartialSuccess"};
constexpr Names kMetrics{"resourceMetrics",
                         "scopeMetrics",
                         "metrics",
                         "rejectedDataPoints",
                         "ExportMetricsServiceRequest",
                         "ResourceMetrics",
                         "ScopeMetrics",
                         "ExportMetricsServiceResponse",
                         "ExportMetricsPartialSuccess"};
constexpr Names kLogs{"resourceLogs",
                      "scopeLogs",
                      "logRecords",
                      "rejectedLogRecords",
                      "ExportLogsServiceRequest",
                      "ResourceLogs",
                      "ScopeLogs",
                      "ExportLogsServiceResponse",
                      "ExportLogsPartialSuccess"};

template <const Message& kRecord, const Names& kNames>
struct Service {
  static constexpr FieldInfo kScopeGroupFields[] = {
      {scope_group::kScope, "scope", K::Message, R::Plain, &kScope},
      {scope_group::kRecords, kNames.records, K::Message, R::Repeated, &kRecord},
      {scope_group::kSchemaUrl, "schemaUrl", K::String},
  };
  static constexpr Message kScopeGroup{kNames.scope_group, kScopeGroupFields};
  static constexpr FieldInfo kGroupFields[] = {
      {group::kResource, "resource", K::Message, R::Plain, &kResource},
      {group::kScopes, kNames.scopes, K::Message, R::Repeated, &kScopeGroup},
      {group::kSchemaUrl, "schemaUrl", K::String},
      {group::kDeprecatedScopes, "", K::Message, R::Repeated, &kScopeGroup},
  };
  static constexpr Message kGroup{kNames.group, kGroupFields};
  static constexpr FieldInfo kRequestFields[] = {
      {request::kGroups, kNames.groups, K::Message, R::Repeated, &kGroup}};
  static constexpr Message kRequest{kNames.request, kRequestFields};

  static constexpr FieldInfo kPartialFields[] = {
      {partial_success::kRejected, kNames.rejected, K::Int64},
      {partial_success::kMessage, "errorMessage", K::String}};
  static constexpr Message kPartial{kNames.partial, kPartialFields};
  static constexpr FieldInfo kResponseFields[] = {
      {response::kPartialSuccess, "partialSuccess", K::Message, R::Plain, &kPartial}};
  static constexpr Message kResponse{kNames.response, kResponseFields};
};

}  // namespace

const Message& any_value_schema() { return kAnyValue; }
const Message& key_value_schema() { return kKeyValue; }

const Message& request_schema(Signal signal) {
  switch (signal) {
    case Signal::Traces:
      return Service<kSpan, kTraces>::kRequest;
    case Signal::Metrics:
      return Service<kMetric, kMetrics>::kRequest;
    case Signal::Logs:
      return Service<kLog, kLogs>::kRequest;
    case Signal::Profiles:
      break;
  }
  return kProfilesRequest;
}

const Message& response_schema(Signal signal) {
  switch (signal) {
    case Signal::Traces:
      return Service<kSpan, kTraces>::kResponse;
    case Signal::Metrics:
      return Service<kMetric, kMetrics>::kResponse;
    case Signal::Logs:
      return Service<kLog, kLogs>::kResponse;
    case Signal::Profiles:
      break;
  }
  return kProfilesResponse;
}

}  // namespace sonde::otlp
