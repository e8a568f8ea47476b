// SPDX-License-Identifier: Apache-2.0
// Where everything lies in a chunk: raw offsets of its groups, scopes, records and attributes,
// found in one pass. It owns nothing but numbers, keeps its memory between chunks, and never leaves
// the call chain that made it; only bytes cross a queue. edit.h lays changes over it. A record is a
// span, a log record, or a metric; a metric has no attributes of its own, so its points are not
// indexed here.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "data/attribute_view.h"
#include "data/batch.h"

namespace sonde {

class Index {
 public:
  // A message within the chunk: from its tag to the end of its body.
  struct Range {
    uint32_t field_begin = 0;
    uint32_t body_begin = 0;
    uint32_t body_end = 0;
  };
  struct Slot {  // One attribute: its whole field, and its key within.
    uint32_t begin;
    uint32_t end;
    uint32_t key_begin;
    uint32_t key_size;
  };
  struct Owner : Range {  // What has attributes: a resource or a record.
    uint32_t first_slot = 0;
    uint32_t slots_end = 0;
    uint32_t parent = 0;  // Record: its scope. Resource: its group, of the same number.
    bool present = true;  // False for the resource of a group that sends none.
  };
  struct Scope : Range {
    uint32_t first_record = 0;
    uint32_t records_end = 0;
    uint32_t group = 0;
  };
  struct Group : Range {
    uint32_t first_scope = 0;
    uint32_t scopes_end = 0;
  };

  Index() = default;
  static Result<Index> build(Signal signal, Bytes chunk);
  // The same in place of what was indexed before, reusing its memory.
  Result<> read(Signal signal, Bytes chunk);

  Signal signal() const { return signal_; }
  const Bytes& chunk() const { return chunk_; }
  const std::vector<Owner>& resources() const { return resources_; }
  const std::vector<Owner>& records() const { return records_; }
  const std::vector<Scope>& scopes() const { return scopes_; }
  const std::vector<Group>& groups() const { return groups_; }
  const std::vector<Slot>& slots() const { return slots_; }
  // The field numbers under which attributes lie; 0 where a record has none.
  uint32_t record_attributes() const;

  std::string_view body(const Range& range) const {
    return chunk_.view().substr(range.body_begin, range.body_end - range.body_begin);
  }
  std::string_view key(const Slot& slot) const { return {at(slot.key_begin), slot.key_size}; }
  KeyValueView attribute(const Slot& slot) const;

 private:
  const char* at(uint32_t offset) const { return chunk_.data() + offset; }
  uint32_t offset(const char* at) const { return static_cast<uint32_t>(at - chunk_.data()); }
  enum class Read : uint8_t { Ok, Malformed, Scattered };
  Read read_request();
  Read read_group(Range range);
  Read read_scope(Range range, uint32_t group);
  bool read_owner(Owner& owner, uint32_t attribute_field);
  bool read_slot(std::string_view field, std::string_view body);
  void clear();

  Signal signal_ = Signal::Traces;
  Bytes chunk_;
  std::vector<Group> groups_;
  std::vector<Scope> scopes_;
  std::vector<Owner> resources_;
  std::vector<Owner> records_;
  std::vector<Slot> slots_;
};

}  // namespace sonde
