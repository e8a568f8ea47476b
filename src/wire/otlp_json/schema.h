// SPDX-License-Identifier: Apache-2.0
// What JSON goes by: the tables of data/otlp_schema.h, and how deep it follows them. Private to
// this folder.
#pragma once

#include "data/otlp_schema.h"
#include "wire/otlp_json/otlp_json.h"

namespace sonde::wire {

using otlp::FieldInfo;
using otlp::Kind;
using otlp::Message;
using otlp::Rule;

// Messages nest no deeper than this, in either direction; values of attributes may hold values: 296
// arrays, 197 maps. In JSON that is within simdjson's 1024 levels; on a stack it takes less than a
// quarter of what threads have.
inline constexpr int kMaxDepth = 600;

inline const Message& schema_of(Signal signal, OtlpBody body) {
  return body == OtlpBody::Request ? otlp::request_schema(signal) : otlp::response_schema(signal);
}

}  // namespace sonde::wire
