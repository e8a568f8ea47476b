// SPDX-License-Identifier: Apache-2.0
// The field numbers of OTLP (opentelemetry-proto 1.x), one namespace a message, and its
// enumerations. This is the only place that knows a number; everything else spells the name.
// It is not a generated file: the set is small and stable by the promise of the protocol.
#pragma once

#include <cstdint>

namespace sonde {

enum class SpanKind : uint8_t { Unspecified, Internal, Server, Client, Producer, Consumer };
enum class StatusCode : uint8_t { Unset, Ok, Error };
enum class Temporality : uint8_t { Unspecified, Delta, Cumulative };

namespace otlp {

// The signals share these shapes: request > group > scope group > record.
namespace request {
inline constexpr uint32_t kGroups = 1, kDictionary = 2;  // The latter of profiles alone.
}
namespace response {
inline constexpr uint32_t kPartialSuccess = 1;
}
namespace partial_success {
inline constexpr uint32_t kRejected = 1, kMessage = 2;
}
namespace group {  // ResourceSpans, ResourceMetrics, ResourceLogs, ResourceProfiles
inline constexpr uint32_t kResource = 1, kScopes = 2, kSchemaUrl = 3;
// Where the scopes of OTLP before 1.0 stood; the Collector still parses them.
inline constexpr uint32_t kDeprecatedScopes = 1000;
}  // namespace group
namespace scope_group {  // ScopeSpans, ScopeMetrics, ScopeLogs, ScopeProfiles
inline constexpr uint32_t kScope = 1, kRecords = 2, kSchemaUrl = 3;
}
namespace resource {
inline constexpr uint32_t kAttributes = 1, kDroppedAttributes = 2, kEntityRefs = 3;
}
namespace entity_ref {
inline constexpr uint32_t kSchemaUrl = 1, kType = 2, kIdKeys = 3, kDescriptionKeys = 4;
}
namespace scope {
inline constexpr uint32_t kName = 1, kVersion = 2, kAttributes = 3, kDroppedAttributes = 4;
}
namespace key_value {
// The indexes, here and in AnyValue, are those of profiles.
inline constexpr uint32_t kKey = 1, kValue = 2, kKeyIndex = 3;
}  // namespace key_value
namespace any_value {
inline constexpr uint32_t kString = 1, kBool = 2, kInt = 3, kDouble = 4, kArray = 5, kMap = 6,
                          kBytes = 7, kStringIndex = 8;
}
namespace list {  // ArrayValue and KeyValueList
inline constexpr uint32_t kValues = 1;
}

namespace span {
inline constexpr uint32_t kTraceId = 1, kSpanId = 2, kTraceState = 3, kParentSpanId = 4, kName = 5,
                          kKind = 6, kStart = 7, kEnd = 8, kAttributes = 9, kDroppedAttributes = 10,
                          kEvents = 11, kDroppedEvents = 12, kLinks = 13, kDroppedLinks = 14,
                          kStatus = 15, kFlags = 16;
}
namespace event {
inline constexpr uint32_t kTime = 1, kName = 2, kAttributes = 3, kDroppedAttributes = 4;
}
namespace link {
inline constexpr uint32_t kTraceId = 1, kSpanId = 2, kTraceState = 3, kAttributes = 4,
                          kDroppedAttributes = 5, kFlags = 6;
}
namespace status {
inline constexpr uint32_t kMessage = 2, kCode = 3;
}

namespace log {
inline constexpr uint32_t kTime = 1, kSeverityNumber = 2, kSeverityText = 3, kBody = 5,
                          kAttributes = 6, kDroppedAttributes = 7, kFlags = 8, kTraceId = 9,
                          kSpanId = 10, kObservedTime = 11, kEventName = 12;
}

namespace metric {
inline constexpr uint32_t kName = 1, kDescription = 2, kUnit = 3, kGauge = 5, kSum = 7,
                          kHistogram = 9, kExponentialHistogram = 10, kSummary = 11, kMetadata = 12;
}
namespace points {  // Gauge, Sum, Histogram, ExponentialHistogram, Summary
inline constexpr uint32_t kPoints = 1, kTemporality = 2, kMonotonic = 3;
}
namespace point {  // What all five kinds of data points share.
inline constexpr uint32_t kStart = 2, kTime = 3;
inline constexpr uint32_t kNoRecordedValue = 1;  // In flags: DataPointFlags of metrics.proto.
}  // namespace point
namespace number_point {
inline constexpr uint32_t kDouble = 4, kExemplars = 5, kInt = 6, kAttributes = 7, kFlags = 8;
}
namespace histogram_point {
inline constexpr uint32_t kCount = 4, kSum = 5, kBuckets = 6, kBounds = 7, kExemplars = 8,
                          kAttributes = 9, kFlags = 10, kMin = 11, kMax = 12;
}
namespace exponential_point {
inline constexpr uint32_t kAttributes = 1, kCount = 4, kSum = 5, kScale = 6, kZeroCount = 7,
                          kPositive = 8, kNegative = 9, kFlags = 10, kExemplars = 11, kMin = 12,
                          kMax = 13, kZeroThreshold = 14;
}
namespace buckets {
inline constexpr uint32_t kOffset = 1, kCounts = 2;
}
namespace summary_point {
inline constexpr uint32_t kCount = 4, kSum = 5, kQuantiles = 6, kAttributes = 7, kFlags = 8;
}
namespace quantile {
inline constexpr uint32_t kQuantile = 1, kValue = 2;
}
namespace exemplar {
inline constexpr uint32_t kTime = 2, kDouble = 3, kSpanId = 4, kTraceId = 5, kInt = 6,
                          kAttributes = 7;
}

// Profiles, as v1development has them since opentelemetry-proto 1.9.
namespace profile {
inline constexpr uint32_t kSampleType = 1, kSamples = 2, kTime = 3, kDuration = 4, kPeriodType = 5,
                          kPeriod = 6, kProfileId = 7, kDroppedAttributes = 8, kPayloadFormat = 9,
                          kPayload = 10, kAttributes = 11;
}
namespace value_type {
inline constexpr uint32_t kType = 1, kUnit = 2;
}
namespace sample {
inline constexpr uint32_t kStack = 1, kAttributes = 2, kLink = 3, kValues = 4, kTimestamps = 5;
}
namespace dictionary {
inline constexpr uint32_t kMappings = 1, kLocations = 2, kFunctions = 3, kLinks = 4, kStrings = 5,
                          kAttributes = 6, kStacks = 7;
}
namespace mapping {
inline constexpr uint32_t kStart = 1, kLimit = 2, kOffset = 3, kFilename = 4, kAttributes = 5;
}
namespace location {
inline constexpr uint32_t kMapping = 1, kAddress = 2, kLines = 3, kAttributes = 4;
}
namespace line {
inline constexpr uint32_t kFunction = 1, kLine = 2, kColumn = 3;
}
namespace function {
inline constexpr uint32_t kName = 1, kSystemName = 2, kFilename = 3, kStartLine = 4;
}
namespace key_value_and_unit {
inline constexpr uint32_t kKey = 1, kValue = 2, kUnit = 3;
}
namespace stack {
inline constexpr uint32_t kLocations = 1;
}

}  // namespace otlp
}  // namespace sonde
