// SPDX-License-Identifier: Apache-2.0
// What the builders of all signals share: records lie one after the other in one buffer, marks
// remember where a resource or a scope begins, and build() copies everything once into a body of
// exactly the right size. It knows nothing of what a record is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "data/attribute.h"
#include "data/otlp_fields.h"
#include "data/wire.h"

namespace sonde {

class GroupBuffer {
 public:
  void resource(Attributes attributes);
  void scope(std::string_view name, std::string_view version);
  // Whole record fields (with tag 2 and length) are appended here.
  std::string& records() { return records_; }
  // Call before a record: opens an empty group and scope where the caller opened none.
  void open();
  size_t bytes() const { return records_.size() + headers_.size(); }
  Bytes build();

 private:
  struct Mark {
    size_t header_begin, header_end;  // In headers_: the body of the Resource or of the Scope.
    size_t records_begin;
    size_t resource;  // For a scope: which resource it belongs to.
  };
  std::string records_;
  std::string headers_;
  std::vector<Mark> resources_;
  std::vector<Mark> scopes_;
};

// The parts of a KeyValue message, for writers: sizes first, then the bytes. Inline, because they
// are most of what writing a span is.
namespace attribute_wire {
namespace any = otlp::any_value;

// All fields of KeyValue and AnyValue have one-byte tags.
inline size_t value_size(const AttributeValue& value) {
  switch (value.index()) {
    case 0: {
      const size_t size = std::get_if<0>(&value)->size();
      return 1 + proto::varint_size(size) + size;
    }
    case 1:
      return 1 + proto::varint_size(static_cast<uint64_t>(*std::get_if<1>(&value)));
    case 2:
      return 9;
    default:
      return 2;
  }
}

inline char* put_value(char* at, const AttributeValue& value) {
  switch (value.index()) {
    case 0:
      return proto::put_bytes(at, any::kString, *std::get_if<0>(&value));
    case 1:
      *at++ = proto::tag_of(any::kInt, proto::Type::Varint);
      return proto::put_varint(at, static_cast<uint64_t>(*std::get_if<1>(&value)));
    case 2:
      return proto::put_fixed64(at, any::kDouble, std::bit_cast<uint64_t>(*std::get_if<2>(&value)));
    default:
      *at++ = proto::tag_of(any::kBool, proto::Type::Varint);
      *at++ = *std::get_if<3>(&value) ? 1 : 0;
      return at;
  }
}

inline size_t key_value_size(const Attribute& attribute) {
  const size_t key = attribute.key.size();
  const size_t value = value_size(attribute.value);
  return 1 + proto::varint_size(key) + key + 1 + proto::varint_size(value) + value;
}

inline char* put_key_value(char* at, const Attribute& attribute, size_t size) {
  const size_t key = attribute.key.size();
  at = proto::put_bytes(at, otlp::key_value::kKey, attribute.key);
  // The size of a short value is what is left of the size of the pair; only where the length of
  // the value may take a second byte is it summed again.
  size_t value = size - 1 - proto::varint_size(key) - key - 2;
  if (value >= 128) value = value_size(attribute.value);
  at = proto::put_header(at, otlp::key_value::kValue, value);
  return put_value(at, attribute.value);
}

void append(std::string& out, uint32_t field, Attributes attributes);
}  // namespace attribute_wire

}  // namespace sonde
