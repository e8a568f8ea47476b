// SPDX-License-Identifier: Apache-2.0
// Batches of a few spans, for tests of what handles batches.
#pragma once

#include <string>
#include <utility>

#include "data/span_writer.h"

namespace sonde::pipeline {

inline Batch spans(int count, Ack ack = {}, const std::string& name = "a") {
  TraceBatchBuilder builder;
  for (int i = 0; i < count; ++i) {
    builder.span({.trace_id = "0123456789abcdef", .span_id = "01234567", .name = name});
  }
  return builder.build(std::move(ack));
}

// A span each, of twenty traces in turn.
inline Batch traces(int count, Ack ack = {}) {
  TraceBatchBuilder builder;
  for (int i = 0; i < count; ++i) {
    const std::string trace = "0123456789abc" + std::to_string(100 + i % 20);
    builder.span({.trace_id = trace, .span_id = "01234567", .name = "a"});
  }
  return builder.build(std::move(ack));
}

}  // namespace sonde::pipeline
