// SPDX-License-Identifier: Apache-2.0
// Reads the log records of a chunk in place, as trace_view.h reads spans: for_each_log() walks the
// bytes once and calls back with views of each record, its scope and its resource, which live as
// long as the call. Ids of a wrong length read as empty.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "data/attribute_view.h"
#include "data/batch.h"
#include "data/function_ref.h"
#include "data/otlp_fields.h"

namespace sonde {

struct LogView {
  uint64_t time_ns = 0;           // When it happened; 0 when the source does not know.
  uint64_t observed_time_ns = 0;  // When it was collected.
  int32_t severity_number = 0;    // 1 (TRACE) to 24 (FATAL4); 0 when there is none.
  std::string_view severity_text;
  AnyValueView body;
  std::string_view trace_id;
  std::string_view span_id;
  std::string_view event_name;
  uint32_t flags = 0;
  std::string_view message;  // The whole body of the record.

  AttributesView attributes() const { return {message, otlp::log::kAttributes}; }
  AnyValueView get(std::string_view key) const { return attributes().get(key); }

  // False when the bytes do not parse.
  static bool parse(std::string_view message, LogView& out);
};

using LogVisitor = FunctionRef<void(const ResourceView&, const ScopeView&, const LogView&)>;
// An error (Invalid) where the bytes are malformed, after the records that were whole.
Result<> for_each_log(std::string_view chunk, LogVisitor visit);
inline Result<> for_each_log(const Bytes& chunk, LogVisitor visit) {
  return for_each_log(chunk.view(), visit);
}
Result<> for_each_log(const Batch& batch, LogVisitor visit);

}  // namespace sonde
