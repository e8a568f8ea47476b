// SPDX-License-Identifier: Apache-2.0
#include "data/log_writer.h"

#include "data/wire.h"

namespace sonde {

namespace f = otlp::log;
using proto::Type;

LogBatchBuilder& LogBatchBuilder::resource(Attributes attributes) {
  buffer_.resource(attributes);
  return *this;
}

LogBatchBuilder& LogBatchBuilder::scope(std::string_view name, std::string_view version) {
  buffer_.scope(name, version);
  return *this;
}

LogBatchBuilder& LogBatchBuilder::log(const LogFields& l, Attributes attributes) {
  buffer_.open();
  // Every field is left out when it holds its default, as canonical proto3 has it.
  const auto string_size = [](std::string_view text) {
    return text.empty() ? 0 : 1 + proto::varint_size(text.size()) + text.size();
  };
  // A negative number is one of ten bytes on the wire.
  const auto severity = static_cast<uint64_t>(static_cast<int64_t>(l.severity_number));
  const size_t body = l.body ? attribute_wire::value_size(*l.body) : 0;
  size_t size = string_size(l.severity_text) + string_size(l.trace_id) + string_size(l.span_id) +
                string_size(l.event_name);
  if (l.time_ns != 0) size += 9;
  if (l.observed_time_ns != 0) size += 9;
  if (severity != 0) size += 1 + proto::varint_size(severity);
  if (l.body) size += proto::bytes_size(f::kBody, body);
  if (l.flags != 0) size += 5;
  for (const Attribute& attribute : attributes)
    size += proto::bytes_size(f::kAttributes, attribute_wire::key_value_size(attribute));

  char* at = proto::extend(buffer_.records(), proto::bytes_size(otlp::scope_group::kRecords, size));
  at = proto::put_header(at, otlp::scope_group::kRecords, size);
  const auto put_string = [&](uint32_t number, std::string_view text) {
    if (!text.empty()) at = proto::put_bytes(at, number, text);
  };
  if (l.time_ns != 0) at = proto::put_fixed64(at, f::kTime, l.time_ns);
  if (severity != 0) {
    *at++ = proto::tag_of(f::kSeverityNumber, Type::Varint);
    at = proto::put_varint(at, severity);
  }
  put_string(f::kSeverityText, l.severity_text);
  if (l.body) at = attribute_wire::put_value(proto::put_header(at, f::kBody, body), *l.body);
  for (const Attribute& attribute : attributes) {
    const size_t pair = attribute_wire::key_value_size(attribute);
    at =
        attribute_wire::put_key_value(proto::put_header(at, f::kAttributes, pair), attribute, pair);
  }
  if (l.flags != 0) at = proto::put_fixed32(at, f::kFlags, l.flags);
  put_string(f::kTraceId, l.trace_id);
  put_string(f::kSpanId, l.span_id);
  if (l.observed_time_ns != 0) at = proto::put_fixed64(at, f::kObservedTime, l.observed_time_ns);
  put_string(f::kEventName, l.event_name);
  ++logs_;
  return *this;
}

Batch LogBatchBuilder::build(Ack ack) {
  logs_ = 0;
  std::vector<Bytes> chunks;
  if (Bytes chunk = buffer_.build(); !chunk.empty()) chunks.push_back(std::move(chunk));
  return {Signal::Logs, std::move(chunks), std::move(ack)};
}

}  // namespace sonde
