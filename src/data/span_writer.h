// SPDX-License-Identifier: Apache-2.0
// Builds a batch of spans as canonical OTLP bytes, with no objects in between: the size of a span
// is summed first and its bytes are written once, in the order of the field numbers. Use:
//   TraceBatchBuilder b;
//   b.resource({{"service.name", "cart"}}).scope("sonde", "0.1");
//   b.span({.trace_id = t, .span_id = s, .name = "GET /", .start_ns = 1, .end_ns = 2}, attributes);
//   sink.consume(b.build());
// It writes no events and links: nothing that produces spans here has any.
#pragma once

#include <cstdint>
#include <string_view>

#include "data/attribute.h"
#include "data/batch.h"
#include "data/group_buffer.h"
#include "data/otlp_fields.h"

namespace sonde {

struct SpanFields {
  std::string_view trace_id;  // 16 raw bytes.
  std::string_view span_id;   // 8 raw bytes.
  std::string_view parent_span_id{};
  std::string_view trace_state{};
  std::string_view name{};
  SpanKind kind = SpanKind::Unspecified;
  uint64_t start_ns = 0;
  uint64_t end_ns = 0;
  StatusCode status = StatusCode::Unset;
  std::string_view status_message{};
  uint32_t flags = 0;
};

class TraceBatchBuilder {
 public:
  // Opens a group; what follows belongs to it. Without one, the resource is empty.
  TraceBatchBuilder& resource(Attributes attributes);
  TraceBatchBuilder& scope(std::string_view name, std::string_view version = {});
  TraceBatchBuilder& span(const SpanFields& fields, Attributes attributes = {});

  size_t spans() const { return spans_; }
  bool empty() const { return spans_ == 0; }
  size_t bytes() const { return buffer_.bytes(); }
  // The batch so far; the builder is empty again and keeps its memory.
  Batch build(Ack ack = {});

 private:
  GroupBuffer buffer_;
  size_t spans_ = 0;
};

}  // namespace sonde
