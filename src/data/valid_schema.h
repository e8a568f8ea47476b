// SPDX-License-Identifier: Apache-2.0
// What may follow each tag of each message of OTLP: data/otlp_schema.h made into a table for a walk
// that looks at every field. Private to valid.cc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "data/batch.h"

namespace sonde::valid {

// What is to follow a tag. From Nested on, the rule gives the place in the table of the message
// that the payload is.
enum Rule : uint8_t {
  Wrong,
  Varint,
  Fixed64,
  Fixed32,
  Any,  // Bytes of any length: text, and unknown fields.
  TraceId,
  SpanId,
  Fixed64s,  // Packed.
  Varints,   // Packed.
  Nested,
};

// The rule of each tag of one byte, and of the one field that some messages have past those. Rules
// begin a line of the cache: a message is looked at in one or two of them.
struct alignas(64) Schema {
  std::array<Rule, 128> rules{};
  std::string_view name;
  uint32_t far_tag = 0;
  Rule far_rule = Wrong;
};

struct Table {
  std::vector<Schema> schemas;
  BySignal<size_t> requests;  // Their places.
};
// Places in every table.
inline constexpr size_t kAnyValue = 0;
inline constexpr size_t kKeyValue = 1;

// Made once, by the first that asks. For any thread.
const Table& table();

// For tags of more than one byte, and those written longer than they need be. At most 2^32 - 1.
Rule rule_of(const Schema& schema, uint32_t tag);

}  // namespace sonde::valid
