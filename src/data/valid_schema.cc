// SPDX-License-Identifier: Apache-2.0
#include "data/valid_schema.h"

#include <algorithm>

#include "base/check.h"
#include "data/otlp_schema.h"
#include "data/wire.h"

namespace sonde::valid {
namespace {

using otlp::Kind;
using proto::Type;

// Of a field that the schema does not know, and of each number of a list that is not packed.
Rule unknown(Type type) {
  switch (type) {
    case Type::Varint:
      return Varint;
    case Type::Fixed64:
      return Fixed64;
    case Type::Fixed32:
      return Fixed32;
    case Type::Bytes:
      return Any;
    default:
      return Wrong;
  }
}

class Builder {
 public:
  Table build() {
    Table made;
    CHECK(place_of(&otlp::any_value_schema()) == kAnyValue);
    CHECK(place_of(&otlp::key_value_schema()) == kKeyValue);
    for (const Signal signal : kSignals)
      made.requests[signal] = place_of(&otlp::request_schema(signal));
    // Each may name others, which come at the end.
    for (size_t i = 0; i < messages_.size(); ++i) made.schemas.push_back(schema(*messages_[i]));
    return made;
  }

 private:
  size_t place_of(const otlp::Message* message) {
    const auto known = std::ranges::find(messages_, message);
    const auto place = static_cast<size_t>(known - messages_.begin());
    if (known == messages_.end()) messages_.push_back(message);
    CHECK(Nested + place <= UINT8_MAX);
    return place;
  }

  Schema schema(const otlp::Message& message) {
    Schema made;
    made.name = message.name;
    for (uint32_t tag = 8; tag < 128; ++tag) made.rules[tag] = unknown(static_cast<Type>(tag & 7));
    for (const otlp::FieldInfo& field : message.fields) {
      const Type type = otlp::wire_type(field.kind);
      const bool packed = field.rule == otlp::Rule::Repeated && type != Type::Bytes;
      const uint32_t tag = proto::tag_of(field.number, packed ? Type::Bytes : type);
      if (tag >= 128) {
        CHECK(made.far_tag == 0 && !packed);
        made.far_tag = tag;
        made.far_rule = rule(field);
        continue;
      }
      std::fill_n(&made.rules[tag & ~7U], 8, Wrong);
      made.rules[tag] = rule(field);
      // Packed fields may come one by one as well.
      if (packed) made.rules[proto::tag_of(field.number, type)] = unknown(type);
    }
    return made;
  }

  Rule rule(const otlp::FieldInfo& field) {
    if (field.kind == Kind::Message) return static_cast<Rule>(Nested + place_of(field.message));
    if (field.kind == Kind::TraceId) return TraceId;
    if (field.kind == Kind::SpanId) return SpanId;
    const Rule one = unknown(otlp::wire_type(field.kind));
    if (field.rule != otlp::Rule::Repeated || one == Any) return one;
    CHECK(one != Fixed32);  // OTLP has no such list.
    return one == Varint ? Varints : Fixed64s;
  }

  std::vector<const otlp::Message*> messages_;
};

}  // namespace

const Table& table() {
  static const Table made = Builder().build();
  return made;
}

Rule rule_of(const Schema& schema, uint32_t tag) {
  if (tag < schema.rules.size()) return schema.rules[tag];
  if (tag >> 3 != schema.far_tag >> 3) return unknown(static_cast<Type>(tag & 7));
  return tag == schema.far_tag ? schema.far_rule : Wrong;
}

}  // namespace sonde::valid
