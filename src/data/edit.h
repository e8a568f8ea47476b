// SPDX-License-Identifier: Apache-2.0
// Changes laid over an Index: set and erase attributes of spans, log records and resources, drop
// records. encode() copies every untouched range verbatim, so fields that this room does not know
// survive, and writes anew only what changed and the lengths around it. The index and its chunk
// stay as they are. Use:
//   Edit edit(index);
//   edit.set(Edit::record(3), "http.route", "/cart");
//   edit.erase(Edit::resource(0), "process.command_args");
//   Bytes out = edit.encode();
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/attribute.h"
#include "data/index.h"

namespace sonde {

class Edit {
 public:
  struct Target {
    bool is_resource;
    uint32_t number;
  };
  static Target record(size_t number) { return {false, static_cast<uint32_t>(number)}; }
  static Target resource(size_t number) { return {true, static_cast<uint32_t>(number)}; }

  // The index must outlive the edit.
  explicit Edit(const Index& index) { reset(index); }
  void reset(const Index& index);

  // Replaces the attribute where it stands, or appends it. Duplicates of the key go.
  void set(Target target, std::string_view key, const AttributeValue& value);
  void erase(Target target, std::string_view key);
  void drop_record(size_t number);
  // With the edits so far. The view lives until the next edit.
  std::optional<AnyValueView> get(Target target, std::string_view key) const;

  bool dirty() const { return dirty_; }
  // The chunk with the edits; the chunk itself when there are none.
  Bytes encode() const;

 private:
  static constexpr uint32_t kAppended = UINT32_MAX;
  struct Entry {
    uint32_t slot;   // Which attribute it replaces, or kAppended.
    uint32_t next;   // In the order of slots; 0 ends the list, else the number plus one.
    uint32_t begin;  // In arena_: the new KeyValue field, with tag and length.
    uint32_t size;   // 0 when erased.
  };
  struct State {
    uint32_t head = 0;
    int32_t delta = 0;  // How much the body grows.
    bool dropped = false;
  };
  const Index::Owner& owner(Target target) const;
  State& state(Target target);
  const State& state(Target target) const;
  std::string_view bytes(const Entry& entry) const {
    return std::string_view(arena_).substr(entry.begin, entry.size);
  }
  KeyValueView attribute(const Entry& entry) const;
  Entry& entry(State& state, uint32_t slot, bool& fresh);
  Entry* appended(State& state, std::string_view key);
  // How much the whole field of a message grows when its body grows by delta.
  static int64_t field_delta(const Index::Range& range, int64_t delta);
  char* put_owner(char* out, uint32_t field, const Index::Owner& owner, const State& state) const;

  const Index* index_ = nullptr;
  bool dirty_ = false;
  std::vector<State> records_;  // Empty until one is edited.
  std::vector<State> resources_;
  std::vector<Entry> entries_;
  std::string arena_;
};

}  // namespace sonde
