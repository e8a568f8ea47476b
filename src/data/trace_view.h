// SPDX-License-Identifier: Apache-2.0
// Reads the spans of a chunk in place: for_each_span() walks the bytes once and calls back with
// views of each span, its scope and its resource. The views live as long as the call. A field that
// this room does not know is skipped here and stays in the bytes; malformed bytes end the walk with
// an error after the spans that were whole. Ids of a wrong length read as empty, so that whoever
// gets a trace id may copy 16 bytes, and a span id 8.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "data/attribute_view.h"
#include "data/batch.h"
#include "data/function_ref.h"
#include "data/otlp_fields.h"

namespace sonde {

struct EventView {
  uint64_t time_ns = 0;
  std::string_view name;
  std::string_view message;
  AttributesView attributes() const { return {message, otlp::event::kAttributes}; }
  static EventView parse(std::string_view message);
};

struct LinkView {
  std::string_view trace_id;
  std::string_view span_id;
  std::string_view message;
  AttributesView attributes() const { return {message, otlp::link::kAttributes}; }
  static LinkView parse(std::string_view message);
};

struct SpanView {
  std::string_view trace_id;
  std::string_view span_id;
  std::string_view parent_span_id;
  std::string_view trace_state;
  std::string_view name;
  SpanKind kind = SpanKind::Unspecified;
  StatusCode status_code = StatusCode::Unset;
  std::string_view status_message;
  uint64_t start_ns = 0;
  uint64_t end_ns = 0;
  uint32_t flags = 0;
  std::string_view message;        // The whole body of the span.
  std::string_view attributes_in;  // The part of it that holds the attributes.

  AttributesView attributes() const { return {attributes_in, otlp::span::kAttributes}; }
  AnyValueView get(std::string_view key) const { return attributes().get(key); }
  FieldRange<EventView> events() const { return {message, otlp::span::kEvents}; }
  FieldRange<LinkView> links() const { return {message, otlp::span::kLinks}; }
  uint64_t duration_ns() const { return end_ns > start_ns ? end_ns - start_ns : 0; }

  // False when the bytes do not parse.
  static bool parse(std::string_view message, SpanView& out);
};

using SpanVisitor = FunctionRef<void(const ResourceView&, const ScopeView&, const SpanView&)>;
Result<> for_each_span(std::string_view chunk, SpanVisitor visit);
inline Result<> for_each_span(const Bytes& chunk, SpanVisitor visit) {
  return for_each_span(chunk.view(), visit);
}
Result<> for_each_span(const Batch& batch, SpanVisitor visit);

}  // namespace sonde
