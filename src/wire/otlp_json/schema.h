// SPDX-License-Identifier: Apache-2.0
// The names and types that JSON needs of OTLP's messages: one table a message. Numbers are those of
// data/otlp_fields.h.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "data/batch.h"
#include "data/wire.h"
#include "wire/otlp_json/otlp_json.h"

namespace sonde::wire {

enum class Kind : uint8_t {
  Message,
  String,
  HexId,   // bytes, in hexadecimal
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
  std::string_view name;  // in lowerCamelCase
  Kind kind;
  Rule rule = Rule::Plain;
  const Message* message = nullptr;
  std::span<const std::string_view> names{};  // Enum: by number
};
struct Message {
  std::span<const FieldInfo> fields;
};

inline proto::Type wire_type(Kind kind) {
  switch (kind) {
    case Kind::Message:
    case Kind::String:
    case Kind::HexId:
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

// Messages nest no deeper than this, in either direction; values of attributes may hold values: 296
// arrays, 197 maps. In JSON that is within simdjson's 1024 levels; on a stack it takes less than a
// quarter of what threads have.
inline constexpr int kMaxDepth = 600;

// What an attribute or a body holds: the one message that may hold itself.
const Message& any_value_schema();
const Message& schema_of(Signal signal, OtlpBody body);

}  // namespace sonde::wire
