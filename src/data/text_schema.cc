// SPDX-License-Identifier: Apache-2.0
#include "data/text_schema.h"

#include "data/otlp_fields.h"

namespace sonde::text {
namespace {

using K = Kind;
using S = std::string_view;

constexpr S kSpanKinds[] = {"unspecified", "internal", "server", "client", "producer", "consumer"};
constexpr S kStatusCodes[] = {"unset", "ok", "error"};
constexpr S kTemporalities[] = {"unspecified", "delta", "cumulative"};

constexpr FieldInfo kEventFields[] = {
    {otlp::event::kTime, "time", K::Time},
    {otlp::event::kName, "name", K::String},
    {otlp::event::kAttributes, "attributes", K::Attributes},
    {otlp::event::kDroppedAttributes, "dropped_attributes", K::Varint},
};
constexpr Message kEvent{kEventFields};

constexpr FieldInfo kLinkFields[] = {
    {otlp::link::kTraceId, "trace_id", K::Hex},
    {otlp::link::kSpanId, "span_id", K::Hex},
    {otlp::link::kTraceState, "trace_state", K::String},
    {otlp::link::kFlags, "flags", K::Fixed32},
    {otlp::link::kAttributes, "attributes", K::Attributes},
    {otlp::link::kDroppedAttributes, "dropped_attributes", K::Varint},
};
constexpr Message kLink{kLinkFields};

constexpr FieldInfo kStatusFields[] = {
    {otlp::status::kCode, "status", K::Enum, nullptr, kStatusCodes},
    {otlp::status::kMessage, "status_message", K::String},
};
constexpr Message kStatus{kStatusFields};

constexpr FieldInfo kSpanFields[] = {
    {otlp::span::kTraceId, "trace_id", K::Hex},
    {otlp::span::kSpanId, "span_id", K::Hex},
    {otlp::span::kParentSpanId, "parent_span_id", K::Hex},
    {otlp::span::kTraceState, "trace_state", K::String},
    {otlp::span::kName, "name", K::String},
    {otlp::span::kKind, "kind", K::Enum, nullptr, kSpanKinds},
    {otlp::span::kStart, "start", K::Time},
    {otlp::span::kEnd, "end", K::Time},
    {otlp::span::kStatus, "of_status", K::Inline, &kStatus},
    {otlp::span::kFlags, "flags", K::Fixed32},
    {otlp::span::kAttributes, "attributes", K::Attributes},
    {otlp::span::kDroppedAttributes, "dropped_attributes", K::Varint},
    {otlp::span::kEvents, "event", K::Block, &kEvent},
    {otlp::span::kDroppedEvents, "dropped_events", K::Varint},
    {otlp::span::kLinks, "link", K::Block, &kLink},
    {otlp::span::kDroppedLinks, "dropped_links", K::Varint},
};
constexpr Message kSpan{kSpanFields};

constexpr FieldInfo kLogFields[] = {
    {otlp::log::kTime, "time", K::Time},
    {otlp::log::kObservedTime, "observed_time", K::Time},
    {otlp::log::kSeverityNumber, "severity", K::Varint},
    {otlp::log::kSeverityText, "severity_text", K::String},
    {otlp::log::kEventName, "event_name", K::String},
    {otlp::log::kBody, "body", K::Value},
    {otlp::log::kTraceId, "trace_id", K::Hex},
    {otlp::log::kSpanId, "span_id", K::Hex},
    {otlp::log::kFlags, "flags", K::Fixed32},
    {otlp::log::kAttributes, "attributes", K::Attributes},
    {otlp::log::kDroppedAttributes, "dropped_attributes", K::Varint},
};
constexpr Message kLog{kLogFields};

constexpr FieldInfo kExemplarFields[] = {
    {otlp::exemplar::kTime, "time", K::Time},
    {otlp::exemplar::kInt, "value", K::Int64, nullptr, {}, true},
    {otlp::exemplar::kDouble, "value", K::Double, nullptr, {}, true},
    {otlp::exemplar::kTraceId, "trace_id", K::Hex},
    {otlp::exemplar::kSpanId, "span_id", K::Hex},
    {otlp::exemplar::kAttributes, "attributes", K::Attributes},
};
constexpr Message kExemplar{kExemplarFields};

constexpr FieldInfo kNumberPointFields[] = {
    {otlp::point::kStart, "start", K::Time},
    {otlp::point::kTime, "time", K::Time},
    {otlp::number_point::kInt, "value", K::Int64, nullptr, {}, true},
    {otlp::number_point::kDouble, "value", K::Double, nullptr, {}, true},
    {otlp::number_point::kFlags, "flags", K::Varint},
    {otlp::number_point::kAttributes, "attributes", K::Attributes},
    {otlp::number_point::kExemplars, "exemplar", K::Block, &kExemplar},
};
constexpr Message kNumberPoint{kNumberPointFields};

constexpr FieldInfo kHistogramPointFields[] = {
    {otlp::point::kStart, "start", K::Time},
    {otlp::point::kTime, "time", K::Time},
    {otlp::histogram_point::kCount, "count", K::Fixed64},
    {otlp::histogram_point::kSum, "sum", K::Double, nullptr, {}, true},
    {otlp::histogram_point::kMin, "min", K::Double, nullptr, {}, true},
    {otlp::histogram_point::kMax, "max", K::Double, nullptr, {}, true},
    {otlp::histogram_point::kBounds, "bounds", K::PackedDouble},
    {otlp::histogram_point::kBuckets, "buckets", K::PackedFixed64},
    {otlp::histogram_point::kFlags, "flags", K::Varint},
    {otlp::histogram_point::kAttributes, "attributes", K::Attributes},
    {otlp::histogram_point::kExemplars, "exemplar", K::Block, &kExemplar},
};
constexpr Message kHistogramPoint{kHistogramPointFields};

constexpr FieldInfo kBucketsFields[] = {
    {otlp::buckets::kOffset, "offset", K::Sint32},
    {otlp::buckets::kCounts, "counts", K::PackedVarint},
};
constexpr Message kBuckets{kBucketsFields};

constexpr FieldInfo kExponentialPointFields[] = {
    {otlp::point::kStart, "start", K::Time},
    {otlp::point::kTime, "time", K::Time},
    {otlp::exponential_point::kCount, "count", K::Fixed64},
    {otlp::exponential_point::kSum, "sum", K::Double, nullptr, {}, true},
    {otlp::exponential_point::kMin, "min", K::Double, nullptr, {}, true},
    {otlp::exponential_point::kMax, "max", K::Double, nullptr, {}, true},
    {otlp::exponential_point::kScale, "scale", K::Sint32},
    {otlp::exponential_point::kZeroCount, "zero_count", K::Fixed64},
    {otlp::exponential_point::kZeroThreshold, "zero_threshold", K::Double},
    {otlp::exponential_point::kPositive, "positive", K::Block, &kBuckets},
    {otlp::exponential_point::kNegative, "negative", K::Block, &kBuckets},
    {otlp::exponential_point::kFlags, "flags", K::Varint},
    {otlp::exponential_point::kAttributes, "attributes", K::Attributes},
    {otlp::exponential_point::kExemplars, "exemplar", K::Block, &kExemplar},
};
constexpr Message kExponentialPoint{kExponentialPointFields};

constexpr FieldInfo kQuantileFields[] = {
    {otlp::quantile::kQuantile, "quantile", K::Double},
    {otlp::quantile::kValue, "value", K::Double},
};
constexpr Message kQuantile{kQuantileFields};

constexpr FieldInfo kSummaryPointFields[] = {
    {otlp::point::kStart, "start", K::Time},
    {otlp::point::kTime, "time", K::Time},
    {otlp::summary_point::kCount, "count", K::Fixed64},
    {otlp::summary_point::kSum, "sum", K::Double},
    {otlp::summary_point::kFlags, "flags", K::Varint},
    {otlp::summary_point::kAttributes, "attributes", K::Attributes},
    {otlp::summary_point::kQuantiles, "at", K::Block, &kQuantile},
};
constexpr Message kSummaryPoint{kSummaryPointFields};

constexpr FieldInfo kGaugeFields[] = {{otlp::points::kPoints, "point", K::Block, &kNumberPoint}};
constexpr Message kGauge{kGaugeFields};
constexpr FieldInfo kSumFields[] = {
    {otlp::points::kTemporality, "temporality", K::Enum, nullptr, kTemporalities},
    {otlp::points::kMonotonic, "monotonic", K::Bool},
    {otlp::points::kPoints, "point", K::Block, &kNumberPoint},
};
constexpr Message kSum{kSumFields};
constexpr FieldInfo kHistogramFields[] = {
    {otlp::points::kTemporality, "temporality", K::Enum, nullptr, kTemporalities},
    {otlp::points::kPoints, "point", K::Block, &kHistogramPoint},
};
constexpr Message kHistogram{kHistogramFields};
constexpr FieldInfo kExponentialFields[] = {
    {otlp::points::kTemporality, "temporality", K::Enum, nullptr, kTemporalities},
    {otlp::points::kPoints, "point", K::Block, &kExponentialPoint},
};
constexpr Message kExponential{kExponentialFields};
constexpr FieldInfo kSummaryFields[] = {{otlp::points::kPoints, "point", K::Block, &kSummaryPoint}};
constexpr Message kSummary{kSummaryFields};

constexpr FieldInfo kMetricFields[] = {
    {otlp::metric::kName, "name", K::String},
    {otlp::metric::kDescription, "description", K::String},
    {otlp::metric::kUnit, "unit", K::String},
    {otlp::metric::kMetadata, "metadata", K::Attributes},
    {otlp::metric::kGauge, "gauge", K::Block, &kGauge},
    {otlp::metric::kSum, "sum", K::Block, &kSum},
    {otlp::metric::kHistogram, "histogram", K::Block, &kHistogram},
    {otlp::metric::kExponentialHistogram, "exponential_histogram", K::Block, &kExponential},
    {otlp::metric::kSummary, "summary", K::Block, &kSummary},
};
constexpr Message kMetric{kMetricFields};

constexpr FieldInfo kResourceFields[] = {
    {otlp::resource::kAttributes, "attributes", K::Attributes},
    {otlp::resource::kDroppedAttributes, "dropped_attributes", K::Varint},
};
constexpr Message kResource{kResourceFields};

constexpr FieldInfo kScopeFields[] = {
    {otlp::scope::kName, "name", K::String},
    {otlp::scope::kVersion, "version", K::String},
    {otlp::scope::kAttributes, "attributes", K::Attributes},
    {otlp::scope::kDroppedAttributes, "dropped_attributes", K::Varint},
};
constexpr Message kScope{kScopeFields};

constexpr FieldInfo kSampleTypeFields[] = {
    {otlp::value_type::kType, "sample_type", K::Varint},
    {otlp::value_type::kUnit, "sample_unit", K::Varint},
};
constexpr Message kSampleType{kSampleTypeFields};

constexpr FieldInfo kPeriodTypeFields[] = {
    {otlp::value_type::kType, "period_type", K::Varint},
    {otlp::value_type::kUnit, "period_unit", K::Varint},
};
constexpr Message kPeriodType{kPeriodTypeFields};

constexpr FieldInfo kSampleFields[] = {
    {otlp::sample::kStack, "stack", K::Varint},
    {otlp::sample::kLink, "link", K::Varint},
    {otlp::sample::kAttributes, "attributes", K::PackedVarint},
    {otlp::sample::kValues, "values", K::PackedVarint},
    {otlp::sample::kTimestamps, "timestamps", K::PackedFixed64},
};
constexpr Message kSample{kSampleFields};

constexpr FieldInfo kProfileFields[] = {
    {otlp::profile::kProfileId, "profile_id", K::Hex},
    {otlp::profile::kSampleType, "of_samples", K::Inline, &kSampleType},
    {otlp::profile::kPeriodType, "of_period", K::Inline, &kPeriodType},
    {otlp::profile::kPeriod, "period", K::Varint},
    {otlp::profile::kTime, "time", K::Time},
    {otlp::profile::kDuration, "duration", K::Varint},
    {otlp::profile::kAttributes, "attributes", K::PackedVarint},
    {otlp::profile::kDroppedAttributes, "dropped_attributes", K::Varint},
    {otlp::profile::kPayloadFormat, "original_payload_format", K::String},
    {otlp::profile::kPayload, "original_payload", K::Hex},
    {otlp::profile::kSamples, "sample", K::Block, &kSample},
};
constexpr Message kProfile{kProfileFields};

constexpr FieldInfo kMappingFields[] = {
    {otlp::mapping::kStart, "memory_start", K::Varint},
    {otlp::mapping::kLimit, "memory_limit", K::Varint},
    {otlp::mapping::kOffset, "file_offset", K::Varint},
    {otlp::mapping::kFilename, "filename", K::Varint},
    {otlp::mapping::kAttributes, "attributes", K::PackedVarint},
};
constexpr Message kMapping{kMappingFields};

constexpr FieldInfo kLineFields[] = {
    {otlp::line::kFunction, "function", K::Varint},
    {otlp::line::kLine, "number", K::Varint},
    {otlp::line::kColumn, "column", K::Varint},
};
constexpr Message kLine{kLineFields};

constexpr FieldInfo kLocationFields[] = {
    {otlp::location::kMapping, "mapping", K::Varint},
    {otlp::location::kAddress, "address", K::Varint},
    {otlp::location::kAttributes, "attributes", K::PackedVarint},
    {otlp::location::kLines, "line", K::Block, &kLine},
};
constexpr Message kLocation{kLocationFields};

constexpr FieldInfo kFunctionFields[] = {
    {otlp::function::kName, "name", K::Varint},
    {otlp::function::kSystemName, "system_name", K::Varint},
    {otlp::function::kFilename, "filename", K::Varint},
    {otlp::function::kStartLine, "start_line", K::Varint},
};
constexpr Message kFunction{kFunctionFields};

constexpr FieldInfo kProfileLinkFields[] = {
    {otlp::link::kTraceId, "trace_id", K::Hex},
    {otlp::link::kSpanId, "span_id", K::Hex},
};
constexpr Message kProfileLink{kProfileLinkFields};

constexpr FieldInfo kKeyValueAndUnitFields[] = {
    {otlp::key_value_and_unit::kKey, "key", K::Varint},
    {otlp::key_value_and_unit::kValue, "value", K::Value},
    {otlp::key_value_and_unit::kUnit, "unit", K::Varint},
};
constexpr Message kKeyValueAndUnit{kKeyValueAndUnitFields};

constexpr FieldInfo kStackFields[] = {
    {otlp::stack::kLocations, "locations", K::PackedVarint},
};
constexpr Message kStack{kStackFields};

// Other parts name an entry of a table by its place in it, from 0.
constexpr FieldInfo kDictionaryFields[] = {
    {otlp::dictionary::kStrings, "string", K::Strings},
    {otlp::dictionary::kMappings, "mapping", K::Block, &kMapping},
    {otlp::dictionary::kFunctions, "function", K::Block, &kFunction},
    {otlp::dictionary::kLocations, "location", K::Block, &kLocation},
    {otlp::dictionary::kStacks, "stack", K::Block, &kStack},
    {otlp::dictionary::kAttributes, "attribute", K::Block, &kKeyValueAndUnit},
    {otlp::dictionary::kLinks, "link", K::Block, &kProfileLink},
};
constexpr Message kDictionary{kDictionaryFields};

// The three levels above a record, for each of the kinds of records.
template <const Message& kRecord, char kLetter>
struct Request {
  static constexpr S kName = kLetter == 's'   ? "span"
                             : kLetter == 'm' ? "metric"
                             : kLetter == 'l' ? "log"
                                              : "profile";
  static constexpr FieldInfo kScopeGroupFields[] = {
      {otlp::scope_group::kScope, "of_scope", K::Inline, &kScope},
      {otlp::scope_group::kSchemaUrl, "schema_url", K::String},
      {otlp::scope_group::kRecords, kName, K::Block, &kRecord},
  };
  static constexpr Message kScopeGroup{kScopeGroupFields};
  static constexpr FieldInfo kGroupFields[] = {
      {otlp::group::kResource, "of_resource", K::Inline, &kResource},
      {otlp::group::kSchemaUrl, "schema_url", K::String},
      {otlp::group::kScopes, "scope", K::Block, &kScopeGroup},
  };
  static constexpr Message kGroup{kGroupFields};
  static constexpr FieldInfo kFields[] = {
      {otlp::request::kGroups, "resource", K::Block, &kGroup},
      {otlp::request::kDictionary, "dictionary", K::Block, &kDictionary},
  };
  // Only profiles have a dictionary.
  static constexpr Message kMessage{std::span(kFields).first(kLetter == 'p' ? 2 : 1)};
};

}  // namespace

const Message& request_schema(Signal signal) {
  switch (signal) {
    case Signal::Traces:
      return Request<kSpan, 's'>::kMessage;
    case Signal::Metrics:
      return Request<kMetric, 'm'>::kMessage;
    case Signal::Logs:
      return Request<kLog, 'l'>::kMessage;
    case Signal::Profiles:
      break;
  }
  return Request<kProfile, 'p'>::kMessage;
}

}  // namespace sonde::text
