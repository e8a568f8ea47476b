// SPDX-License-Identifier: Apache-2.0
#include "data/trace_view.h"

#include "data/walk.h"

namespace sonde {
namespace {

std::string_view id(std::string_view bytes, size_t size) {
  return bytes.size() == size ? bytes : std::string_view();
}

template <class Enum>
Enum enum_of(uint64_t value, Enum last) {
  return value <= static_cast<uint64_t>(last) ? static_cast<Enum>(value) : Enum{};
}

bool parse_status(std::string_view message, SpanView& out) {
  proto::Reader reader(message);
  proto::Field field;
  while (reader.next(field)) {
    if (field.number == otlp::status::kCode && field.type == proto::Type::Varint)
      out.status_code = enum_of(field.value, StatusCode::Error);
    if (field.number == otlp::status::kMessage && field.type == proto::Type::Bytes)
      out.status_message = field.bytes;
  }
  return reader.ok();
}

}  // namespace

bool SpanView::parse(std::string_view message, SpanView& out) {
  namespace f = otlp::span;
  using proto::Type;
  out = {};
  out.message = message;
  const char* attributes_begin = nullptr;
  const char* attributes_end = nullptr;
  proto::Reader reader(message);
  proto::Field field;
  while (reader.next(field)) {
    if (field.type == Type::Bytes) {
      switch (field.number) {
        case f::kAttributes:
          if (attributes_begin == nullptr) attributes_begin = field.raw.data();
          attributes_end = field.raw.data() + field.raw.size();
          break;
        case f::kTraceId:
          out.trace_id = id(field.bytes, 16);
          break;
        case f::kSpanId:
          out.span_id = id(field.bytes, 8);
          break;
        case f::kParentSpanId:
          out.parent_span_id = id(field.bytes, 8);
          break;
        case f::kTraceState:
          out.trace_state = field.bytes;
          break;
        case f::kName:
          out.name = field.bytes;
          break;
        case f::kStatus:
          if (!parse_status(field.bytes, out)) return false;
          break;
        default:
          break;
      }
    } else if (field.type == Type::Fixed64) {
      if (field.number == f::kStart) out.start_ns = field.value;
      if (field.number == f::kEnd) out.end_ns = field.value;
    } else if (field.type == Type::Varint && field.number == f::kKind) {
      out.kind = enum_of(field.value, SpanKind::Consumer);
    } else if (field.type == Type::Fixed32 && field.number == f::kFlags) {
      out.flags = static_cast<uint32_t>(field.value);
    }
  }
  if (attributes_begin != nullptr)
    out.attributes_in = {attributes_begin, static_cast<size_t>(attributes_end - attributes_begin)};
  return reader.ok();
}

EventView EventView::parse(std::string_view message) {
  EventView out;
  out.message = message;
  proto::Reader reader(message);
  proto::Field field;
  while (reader.next(field)) {
    if (field.number == otlp::event::kTime && field.type == proto::Type::Fixed64)
      out.time_ns = field.value;
    if (field.number == otlp::event::kName && field.type == proto::Type::Bytes)
      out.name = field.bytes;
  }
  return out;
}

LinkView LinkView::parse(std::string_view message) {
  LinkView out;
  out.message = message;
  proto::Reader reader(message);
  proto::Field field;
  while (reader.next(field)) {
    if (field.type != proto::Type::Bytes) continue;
    if (field.number == otlp::link::kTraceId) out.trace_id = id(field.bytes, 16);
    if (field.number == otlp::link::kSpanId) out.span_id = id(field.bytes, 8);
  }
  return out;
}

Result<> for_each_span(std::string_view chunk, SpanVisitor visit) {
  SpanView span;
  return for_each_record(
      chunk, [&](const ResourceView& resource, const ScopeView& scope, std::string_view record) {
        if (!SpanView::parse(record, span)) return false;
        visit(resource, scope, span);
        return true;
      });
}

Result<> for_each_span(const Batch& batch, SpanVisitor visit) {
  for (const Bytes& chunk : batch.chunks) TRY(for_each_span(chunk.view(), visit));
  return {};
}

}  // namespace sonde
