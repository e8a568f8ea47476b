// SPDX-License-Identifier: Apache-2.0
#include "data/log_view.h"

#include "data/walk.h"

namespace sonde {

bool LogView::parse(std::string_view message, LogView& out) {
  namespace f = otlp::log;
  using proto::Type;
  out = {};
  out.message = message;
  proto::Reader reader(message);
  proto::Field field;
  while (reader.next(field)) {
    if (field.type == Type::Bytes) {
      switch (field.number) {
        case f::kSeverityText:
          out.severity_text = field.bytes;
          break;
        case f::kBody:
          out.body = AnyValueView(field.bytes);
          break;
        case f::kTraceId:
          if (field.bytes.size() == 16) out.trace_id = field.bytes;
          break;
        case f::kSpanId:
          if (field.bytes.size() == 8) out.span_id = field.bytes;
          break;
        case f::kEventName:
          out.event_name = field.bytes;
          break;
        default:
          break;
      }
    } else if (field.type == Type::Fixed64) {
      if (field.number == f::kTime) out.time_ns = field.value;
      if (field.number == f::kObservedTime) out.observed_time_ns = field.value;
    } else if (field.type == Type::Varint && field.number == f::kSeverityNumber) {
      out.severity_number = static_cast<int32_t>(field.value);
    } else if (field.type == Type::Fixed32 && field.number == f::kFlags) {
      out.flags = static_cast<uint32_t>(field.value);
    }
  }
  return reader.ok();
}

Result<> for_each_log(std::string_view chunk, LogVisitor visit) {
  LogView log;
  return for_each_record(
      chunk, [&](const ResourceView& resource, const ScopeView& scope, std::string_view record) {
        if (!LogView::parse(record, log)) return false;
        visit(resource, scope, log);
        return true;
      });
}

Result<> for_each_log(const Batch& batch, LogVisitor visit) {
  for (const Bytes& chunk : batch.chunks) TRY(for_each_log(chunk.view(), visit));
  return {};
}

}  // namespace sonde
