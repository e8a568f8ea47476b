// SPDX-License-Identifier: Apache-2.0
// Builds a batch of log records as canonical OTLP bytes, as span_writer.h builds spans:
//   LogBatchBuilder b;
//   b.resource({{"service.name", "cart"}}).scope("sonde", "0.1");
//   b.log({.time_ns = 1, .severity_number = 9, .body = "started"}, {{"line", 1}});
//   sink.consume(b.build());
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "data/attribute.h"
#include "data/batch.h"
#include "data/group_buffer.h"

namespace sonde {

struct LogFields {
  uint64_t time_ns = 0;
  uint64_t observed_time_ns = 0;
  int32_t severity_number = 0;  // 1 to 24.
  std::string_view severity_text{};
  std::optional<AttributeValue> body{};
  std::string_view trace_id{};  // 16 raw bytes.
  std::string_view span_id{};   // 8 raw bytes.
  std::string_view event_name{};
  uint32_t flags = 0;
};

class LogBatchBuilder {
 public:
  // Opens a group; what follows belongs to it. Without one, the resource is empty.
  LogBatchBuilder& resource(Attributes attributes);
  LogBatchBuilder& scope(std::string_view name, std::string_view version = {});
  LogBatchBuilder& log(const LogFields& fields, Attributes attributes = {});

  size_t logs() const { return logs_; }
  bool empty() const { return logs_ == 0; }
  size_t bytes() const { return buffer_.bytes(); }
  // The batch so far; the builder is empty again and keeps its memory.
  Batch build(Ack ack = {});

 private:
  GroupBuffer buffer_;
  size_t logs_ = 0;
};

}  // namespace sonde
