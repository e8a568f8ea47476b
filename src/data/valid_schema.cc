// SPDX-License-Identifier: Apache-2.0
#include "data/valid_schema.h"

#include <initializer_list>

#include "data/otlp_fields.h"
#include "data/wire.h"

namespace sonde::valid {
namespace {

using proto::Type;

constexpr Type type_of(Rule rule) {
  switch (rule) {
    case Varint:
      return Type::Varint;
    case Fixed64:
      return Type::Fixed64;
    case Fixed32:
      return Type::Fixed32;
    default:
      return Type::Bytes;
  }
}

// Of a field that the schema does not know.
constexpr Rule unknown(uint32_t type) {
  switch (static_cast<Type>(type)) {
    case Type::Varint:
      return Varint;
    case Type::Fixed64:
      return Fixed64;
    case Type::Fixed32:
      return Fixed32;
    case Type::Bytes:
      return Any;
    default:
      return Wrong;
  }
}

consteval Schema schema(std::string_view name, std::initializer_list<Known> fields) {
  Schema made{.name = name};
  for (uint32_t tag = 8; tag < 128; ++tag) made.rules[tag] = unknown(tag & 7);
  for (const Known& field : fields) {
    if (field.number >= 16) {
      made.far = field;
      continue;
    }
    for (uint32_t type = 0; type < 8; ++type) made.rules[field.number << 3 | type] = Wrong;
    made.rules[proto::tag_of(field.number, type_of(field.rule))] = field.rule;
    // Packed fields may come one by one as well.
    if (field.rule == Fixed64s) made.rules[proto::tag_of(field.number, Type::Fixed64)] = Fixed64;
    if (field.rule == Varints) made.rules[proto::tag_of(field.number, Type::Varint)] = Varint;
  }
  return made;
}

consteval Schema request(std::string_view name, Message groups) {
  return schema(name, {{otlp::request::kGroups, nested(groups)}});
}
consteval Schema group(std::string_view name, Message scopes) {
  namespace f = otlp::group;
  return schema(name, {{f::kResource, nested(Message::Resource)},
                       {f::kScopes, nested(scopes)},
                       {f::kSchemaUrl, Any},
                       {f::kDeprecatedScopes, nested(scopes)}});
}
consteval Schema scope_group(std::string_view name, Message records) {
  namespace f = otlp::scope_group;
  return schema(
      name,
      {{f::kScope, nested(Message::Scope)}, {f::kRecords, nested(records)}, {f::kSchemaUrl, Any}});
}
constexpr Rule kAttribute = nested(Message::KeyValue);

consteval Schema resource_schema() {
  namespace f = otlp::resource;
  return schema("Resource", {{f::kAttributes, kAttribute},
                             {f::kDroppedAttributes, Varint},
                             {f::kEntityRefs, nested(Message::EntityRef)}});
}
consteval Schema entity_ref_schema() {
  namespace f = otlp::entity_ref;
  return schema(
      "EntityRef",
      {{f::kSchemaUrl, Any}, {f::kType, Any}, {f::kIdKeys, Any}, {f::kDescriptionKeys, Any}});
}
consteval Schema scope_schema() {
  namespace f = otlp::scope;
  return schema("InstrumentationScope", {{f::kName, Any},
                                         {f::kVersion, Any},
                                         {f::kAttributes, kAttribute},
                                         {f::kDroppedAttributes, Varint}});
}
consteval Schema span_schema() {
  namespace f = otlp::span;
  return schema("Span", {{f::kTraceId, TraceId},
                         {f::kSpanId, SpanId},
                         {f::kTraceState, Any},
                         {f::kParentSpanId, SpanId},
                         {f::kName, Any},
                         {f::kKind, Varint},
                         {f::kStart, Fixed64},
                         {f::kEnd, Fixed64},
                         {f::kAttributes, kAttribute},
                         {f::kDroppedAttributes, Varint},
                         {f::kEvents, nested(Message::Event)},
                         {f::kDroppedEvents, Varint},
                         {f::kLinks, nested(Message::Link)},
                         {f::kDroppedLinks, Varint},
                         {f::kStatus, nested(Message::Status)},
                         {f::kFlags, Fixed32}});
}
consteval Schema event_schema() {
  namespace f = otlp::event;
  return schema("Event", {{f::kTime, Fixed64},
                          {f::kName, Any},
                          {f::kAttributes, kAttribute},
                          {f::kDroppedAttributes, Varint}});
}
consteval Schema link_schema() {
  namespace f = otlp::link;
  return schema("Link", {{f::kTraceId, TraceId},
                         {f::kSpanId, SpanId},
                         {f::kTraceState, Any},
                         {f::kAttributes, kAttribute},
                         {f::kDroppedAttributes, Varint},
                         {f::kFlags, Fixed32}});
}
consteval Schema log_schema() {
  namespace f = otlp::log;
  return schema("LogRecord", {{f::kTime, Fixed64},
                              {f::kSeverityNumber, Varint},
                              {f::kSeverityText, Any},
                              {f::kBody, nested(Message::AnyValue)},
                              {f::kAttributes, kAttribute},
                              {f::kDroppedAttributes, Varint},
                              {f::kFlags, Fixed32},
                              {f::kTraceId, TraceId},
                              {f::kSpanId, SpanId},
                              {f::kObservedTime, Fixed64},
                              {f::kEventName, Any}});
}
consteval Schema metric_schema() {
  namespace f = otlp::metric;
  return schema("Metric", {{f::kName, Any},
                           {f::kDescription, Any},
                           {f::kUnit, Any},
                           {f::kGauge, nested(Message::Gauge)},
                           {f::kSum, nested(Message::Sum)},
                           {f::kHistogram, nested(Message::Histogram)},
                           {f::kExponentialHistogram, nested(Message::ExponentialHistogram)},
                           {f::kSummary, nested(Message::Summary)},
                           {f::kMetadata, kAttribute}});
}
consteval Schema number_point_schema() {
  namespace f = otlp::number_point;
  return schema("NumberDataPoint", {{otlp::point::kStart, Fixed64},
                                    {otlp::point::kTime, Fixed64},
                                    {f::kDouble, Fixed64},
                                    {f::kExemplars, nested(Message::Exemplar)},
                                    {f::kInt, Fixed64},
                                    {f::kAttributes, kAttribute},
                                    {f::kFlags, Varint}});
}
consteval Schema histogram_point_schema() {
  namespace f = otlp::histogram_point;
  return schema("HistogramDataPoint", {{otlp::point::kStart, Fixed64},
                                       {otlp::point::kTime, Fixed64},
                                       {f::kCount, Fixed64},
                                       {f::kSum, Fixed64},
                                       {f::kBuckets, Fixed64s},
                                       {f::kBounds, Fixed64s},
                                       {f::kExemplars, nested(Message::Exemplar)},
                                       {f::kAttributes, kAttribute},
                                       {f::kFlags, Varint},
                                       {f::kMin, Fixed64},
                                       {f::kMax, Fixed64}});
}
consteval Schema exponential_point_schema() {
  namespace f = otlp::exponential_point;
  return schema("ExponentialHistogramDataPoint", {{f::kAttributes, kAttribute},
                                                  {otlp::point::kStart, Fixed64},
                                                  {otlp::point::kTime, Fixed64},
                                                  {f::kCount, Fixed64},
                                                  {f::kSum, Fixed64},
                                                  {f::kScale, Varint},
                                                  {f::kZeroCount, Fixed64},
                                                  {f::kPositive, nested(Message::Buckets)},
                                                  {f::kNegative, nested(Message::Buckets)},
                                                  {f::kFlags, Varint},
                                                  {f::kExemplars, nested(Message::Exemplar)},
                                                  {f::kMin, Fixed64},
                                                  {f::kMax, Fixed64},
                                                  {f::kZeroThreshold, Fixed64}});
}
consteval Schema summary_point_schema() {
  namespace f = otlp::summary_point;
  return schema("SummaryDataPoint", {{otlp::point::kStart, Fixed64},
                                     {otlp::point::kTime, Fixed64},
                                     {f::kCount, Fixed64},
                                     {f::kSum, Fixed64},
                                     {f::kQuantiles, nested(Message::Quantile)},
                                     {f::kAttributes, kAttribute},
                                     {f::kFlags, Varint}});
}
consteval Schema exemplar_schema() {
  namespace f = otlp::exemplar;
  return schema("Exemplar", {{f::kTime, Fixed64},
                             {f::kDouble, Fixed64},
                             {f::kSpanId, SpanId},
                             {f::kTraceId, TraceId},
                             {f::kInt, Fixed64},
                             {f::kAttributes, kAttribute}});
}
consteval Schema key_value_schema() {
  namespace f = otlp::key_value;
  return schema("KeyValue",
                {{f::kKey, Any}, {f::kValue, nested(Message::AnyValue)}, {f::kKeyIndex, Varint}});
}
consteval Schema any_value_schema() {
  namespace f = otlp::any_value;
  return schema("AnyValue", {{f::kString, Any},
                             {f::kBool, Varint},
                             {f::kInt, Varint},
                             {f::kDouble, Fixed64},
                             {f::kArray, nested(Message::ArrayValue)},
                             {f::kMap, nested(Message::KeyValueList)},
                             {f::kBytes, Any},
                             {f::kStringIndex, Varint}});
}
consteval Schema points(std::string_view name, Message point, bool temporal, bool monotonic) {
  namespace f = otlp::points;
  const Known one{f::kPoints, nested(point)};
  const Known two{f::kTemporality, Varint};
  if (monotonic) return schema(name, {one, two, {f::kMonotonic, Varint}});
  return temporal ? schema(name, {one, two}) : schema(name, {one});
}

}  // namespace

constinit const std::array<Schema, kMessages> kSchemas{
    request("ExportTraceServiceRequest", Message::ResourceSpans),
    request("ExportMetricsServiceRequest", Message::ResourceMetrics),
    request("ExportLogsServiceRequest", Message::ResourceLogs),
    group("ResourceSpans", Message::ScopeSpans),
    group("ResourceMetrics", Message::ScopeMetrics),
    group("ResourceLogs", Message::ScopeLogs),
    scope_group("ScopeSpans", Message::Span),
    scope_group("ScopeMetrics", Message::Metric),
    scope_group("ScopeLogs", Message::LogRecord),
    resource_schema(),
    entity_ref_schema(),
    scope_schema(),
    span_schema(),
    event_schema(),
    link_schema(),
    schema("Status", {{otlp::status::kMessage, Any}, {otlp::status::kCode, Varint}}),
    log_schema(),
    metric_schema(),
    points("Gauge", Message::NumberPoint, false, false),
    points("Sum", Message::NumberPoint, true, true),
    points("Histogram", Message::HistogramPoint, true, false),
    points("ExponentialHistogram", Message::ExponentialPoint, true, false),
    points("Summary", Message::SummaryPoint, false, false),
    number_point_schema(),
    histogram_point_schema(),
    exponential_point_schema(),
    schema("Buckets", {{otlp::buckets::kOffset, Varint}, {otlp::buckets::kCounts, Varints}}),
    summary_point_schema(),
    schema("ValueAtQuantile",
           {{otlp::quantile::kQuantile, Fixed64}, {otlp::quantile::kValue, Fixed64}}),
    exemplar_schema(),
    key_value_schema(),
    any_value_schema(),
    schema("ArrayValue", {{otlp::list::kValues, nested(Message::AnyValue)}}),
    schema("KeyValueList", {{otlp::list::kValues, kAttribute}}),
};

Rule rule_of(const Schema& schema, uint32_t tag) {
  if (tag < schema.rules.size()) return schema.rules[tag];
  if (schema.far.number == 0 || tag >> 3 != schema.far.number) return unknown(tag & 7);
  const bool as_known = (tag & 7) == static_cast<uint32_t>(type_of(schema.far.rule));
  return as_known ? schema.far.rule : Wrong;
}

}  // namespace sonde::valid
