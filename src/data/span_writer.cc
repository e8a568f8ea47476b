// SPDX-License-Identifier: Apache-2.0
#include "data/span_writer.h"

#include "data/wire.h"

namespace sonde {

namespace f = otlp::span;
using proto::Type;

TraceBatchBuilder& TraceBatchBuilder::resource(Attributes attributes) {
  buffer_.resource(attributes);
  return *this;
}

TraceBatchBuilder& TraceBatchBuilder::scope(std::string_view name, std::string_view version) {
  buffer_.scope(name, version);
  return *this;
}

TraceBatchBuilder& TraceBatchBuilder::span(const SpanFields& s, Attributes attributes) {
  buffer_.open();
  // Every field is left out when it holds its default, as canonical proto3 has it.
  const auto string_size = [](std::string_view text) {
    return text.empty() ? 0 : 1 + proto::varint_size(text.size()) + text.size();
  };
  size_t status = string_size(s.status_message);
  if (s.status != StatusCode::Unset) status += 2;
  size_t size = string_size(s.trace_id) + string_size(s.span_id) + string_size(s.trace_state) +
                string_size(s.parent_span_id) + string_size(s.name);
  if (s.kind != SpanKind::Unspecified) size += 2;
  if (s.start_ns != 0) size += 9;
  if (s.end_ns != 0) size += 9;
  if (status > 0) size += proto::bytes_size(f::kStatus, status);
  if (s.flags != 0) size += 6;
  for (const Attribute& attribute : attributes) {
    const size_t pair = attribute_wire::key_value_size(attribute);
    size += 1 + proto::varint_size(pair) + pair;
  }

  char* at = proto::extend(buffer_.records(), proto::bytes_size(otlp::scope_group::kRecords, size));
  at = proto::put_header(at, otlp::scope_group::kRecords, size);
  const auto put_string = [&](uint32_t number, std::string_view text) {
    if (!text.empty()) at = proto::put_bytes(at, number, text);
  };
  put_string(f::kTraceId, s.trace_id);
  put_string(f::kSpanId, s.span_id);
  put_string(f::kTraceState, s.trace_state);
  put_string(f::kParentSpanId, s.parent_span_id);
  put_string(f::kName, s.name);
  if (s.kind != SpanKind::Unspecified) {
    *at++ = proto::tag_of(f::kKind, Type::Varint);
    *at++ = static_cast<char>(s.kind);
  }
  if (s.start_ns != 0) at = proto::put_fixed64(at, f::kStart, s.start_ns);
  if (s.end_ns != 0) at = proto::put_fixed64(at, f::kEnd, s.end_ns);
  for (const Attribute& attribute : attributes) {
    const size_t pair = attribute_wire::key_value_size(attribute);
    at = proto::put_header(at, f::kAttributes, pair);
    at = attribute_wire::put_key_value(at, attribute, pair);
  }
  if (status > 0) {
    at = proto::put_header(at, f::kStatus, status);
    put_string(otlp::status::kMessage, s.status_message);
    if (s.status != StatusCode::Unset) {
      *at++ = proto::tag_of(otlp::status::kCode, Type::Varint);
      *at++ = static_cast<char>(s.status);
    }
  }
  if (s.flags != 0) at = proto::put_fixed32(at, f::kFlags, s.flags);
  ++spans_;
  return *this;
}

Batch TraceBatchBuilder::build(Ack ack) {
  spans_ = 0;
  std::vector<Bytes> chunks;
  if (Bytes chunk = buffer_.build(); !chunk.empty()) chunks.push_back(std::move(chunk));
  return {Signal::Traces, std::move(chunks), std::move(ack)};
}

}  // namespace sonde
