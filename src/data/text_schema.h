// SPDX-License-Identifier: Apache-2.0
// How the text form names the fields of OTLP: one table a message, in the order of printing. An
// Inline field is a message that has no block of its own; its fields stand among its parent's
// (a resource within its group, a status within its span). Private to text.cc.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "data/batch.h"

namespace sonde::text {

enum class Kind : uint8_t {
  Block,       // Repeated or singular message, indented.
  Inline,      // Singular message, flattened.
  Attributes,  // Repeated KeyValue, `key = value`.
  Value,       // AnyValue.
  String,
  Strings,  // Repeated: a line each, also where it is empty, because their places count.
  Hex,
  Varint,
  Bool,
  Sint32,
  Enum,
  Time,
  Fixed64,
  Int64,  // sfixed64
  Double,
  Fixed32,
  PackedFixed64,
  PackedDouble,
  PackedVarint,
};

struct Message;
struct FieldInfo {
  uint32_t number;
  std::string_view name;
  Kind kind;
  const Message* message = nullptr;
  std::span<const std::string_view> names{};  // Enum
  bool presence = false;                      // Zero is said too: an optional field or a oneof.
};
struct Message {
  std::span<const FieldInfo> fields;
};

const Message& request_schema(Signal signal);

}  // namespace sonde::text
