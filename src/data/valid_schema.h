// SPDX-License-Identifier: Apache-2.0
// What may follow each tag of each message of OTLP, as a table for a walk that looks at every
// field. Private to valid.cc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sonde::valid {

// What is to follow a tag. From Nested on, the rule names the message that the payload is.
enum Rule : uint8_t {
  Wrong,
  Varint,
  Fixed64,
  Fixed32,
  Any,  // Bytes of any length: text, and unknown fields.
  TraceId,
  SpanId,
  Fixed64s,  // Packed.
  Varints,   // Packed.
  Nested,
};

enum class Message : uint8_t {
  TracesRequest,
  MetricsRequest,
  LogsRequest,
  ResourceSpans,
  ResourceMetrics,
  ResourceLogs,
  ScopeSpans,
  ScopeMetrics,
  ScopeLogs,
  Resource,
  EntityRef,
  Scope,
  Span,
  Event,
  Link,
  Status,
  LogRecord,
  Metric,
  Gauge,
  Sum,
  Histogram,
  ExponentialHistogram,
  Summary,
  NumberPoint,
  HistogramPoint,
  ExponentialPoint,
  Buckets,
  SummaryPoint,
  Quantile,
  Exemplar,
  KeyValue,
  AnyValue,
  ArrayValue,
  KeyValueList,
  Count,
};

constexpr Rule nested(Message message) {
  return static_cast<Rule>(Nested + static_cast<uint8_t>(message));
}

struct Known {
  uint32_t number;
  Rule rule;
};

// The rule of each tag of one byte, and of the one field that some messages have past those.
struct Schema {
  std::string_view name;
  std::array<Rule, 128> rules{};
  Known far{};
};

// For tags of more than one byte, and those written longer than they need be. At most 2^32 - 1.
Rule rule_of(const Schema& schema, uint32_t tag);

inline constexpr auto kMessages = static_cast<size_t>(Message::Count);
extern const std::array<Schema, kMessages> kSchemas;  // In the order of Message.

}  // namespace sonde::valid
