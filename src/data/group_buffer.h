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

// The parts of a KeyValue field, for writers: sizes first, then the bytes.
namespace attribute_wire {
size_t value_size(const AttributeValue& value);
char* put_value(char* at, const AttributeValue& value);
// The body of the KeyValue message, without the tag and length of the field that holds it.
size_t key_value_size(const Attribute& attribute);
char* put_key_value(char* at, const Attribute& attribute, size_t size);
void append(std::string& out, uint32_t field, Attributes attributes);
}  // namespace attribute_wire

}  // namespace sonde
