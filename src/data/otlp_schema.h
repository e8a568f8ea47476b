// SPDX-License-Identifier: Apache-2.0
// The messages of OTLP (opentelemetry-proto 1.x), one table each: what their fields are called in
// JSON, what they hold and how often they stand there. Numbers are those of data/otlp_fields.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "data/batch.h"
#include "data/wire.h"

namespace sonde::otlp {

enum class Kind : uint8_t {
  Message,
  String,
  TraceId,  // bytes, in JSON in hexadecimal: none, or id_size()
  SpanId,
  Base64,  // bytes
  Bool,
  Enum,  // int32
  Uint32,
  Int64,
  Uint64,
  Sint32,
  Fixed32,
  Fixed64,
  Sfixed64,
  Double,
};

// How often a field stands in its message, and whether its zero says anything.
enum class Rule : uint8_t { Plain, Optional, Oneof, Repeated };

struct Message;
struct FieldInfo {
  uint32_t number;
  std::string_view name;  // in lowerCamelCase; empty where JSON leaves the field out
  Kind kind;
  Rule rule = Rule::Plain;
  const Message* message = nullptr;
  std::span<const std::string_view> names{};  // Enum: by number; none of an int32
};
struct Message {
  std::string_view name;
  std::span<const FieldInfo> fields;
};

inline proto::Type wire_type(Kind kind) {
  switch (kind) {
    case Kind::Message:
    case Kind::String:
    case Kind::TraceId:
    case Kind::SpanId:
    case Kind::Base64:
      return proto::Type::Bytes;
    case Kind::Fixed32:
      return proto::Type::Fixed32;
    case Kind::Fixed64:
    case Kind::Sfixed64:
    case Kind::Double:
      return proto::Type::Fixed64;
    default:
      return proto::Type::Varint;
  }
}

// How long an id of this kind is where it is there at all, in bytes; 0 for what is no id.
constexpr size_t id_size(Kind kind) {
  return kind == Kind::TraceId ? 16 : kind == Kind::SpanId ? 8 : 0;
}

// What an attribute or a body holds: the one message that may hold itself.
const Message& any_value_schema();
const Message& key_value_schema();              // An attribute.
const Message& request_schema(Signal signal);   // Export<Signal>ServiceRequest
const Message& response_schema(Signal signal);  // Export<Signal>ServiceResponse

}  // namespace sonde::otlp
