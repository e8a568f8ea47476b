// SPDX-License-Identifier: Apache-2.0
// Changes laid over one OTLP message: a resource, a scope, a span, a log record, a data point, an
// event. The bytes stay as they came; what is set, erased or dropped is noted beside them, every
// read sees it, and encoding copies the untouched ranges verbatim, so that fields which this
// program does not know survive. Nothing is looked for before the first question, so a message
// that nobody asks about costs nothing. edit.h makes these and hands them out with typed names;
// they live as long as the call that gets one. Views that they return live until the next change.
//
// Bytes that do not parse: attributes behind the fault are not seen, valid() turns false, and
// rewrite() of edit.h then refuses the whole chunk.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/attribute.h"
#include "data/attribute_slots.h"
#include "data/attribute_view.h"
#include "data/function_ref.h"
#include "data/wire.h"

namespace sonde {

class MessageEdit {
 public:
  MessageEdit();
  // Looks at another message, whose attributes are the fields of this number (0: it has none, and
  // none must be asked for). The body, of less than 2 GiB, must outlive the edit.
  void open(std::string_view body, uint32_t attribute_field);

  // The body as it came, for the views of trace_view.h, log_view.h and metric_view.h.
  std::string_view original() const { return body_; }
  bool changed() const { return changed_; }
  bool valid() const { return valid_; }
  // Changes of children that would take too much memory were left out, and it is not valid.
  bool overgrown() const { return overgrown_; }
  // Counts the changes, so that whoever wrote the message before can tell that it went stale.
  uint64_t version() const { return version_; }

  // The value of an attribute. Of a key that comes twice, the first.
  std::optional<AnyValueView> get(std::string_view key);
  bool has(std::string_view key) { return get(key).has_value(); }
  // Replaces the attribute where it stands, or appends it. Later duplicates of the key go.
  void set(std::string_view key, const AttributeValue& value);
  // The same with a value of any shape: the body of an AnyValue, as AnyValueView was made from.
  void set_any(std::string_view key, std::string_view any_value);
  // False when there was none.
  bool erase(std::string_view key);
  // Every attribute in its order. The visitor must not change this message.
  void for_each_attribute(FunctionRef<void(const KeyValueView&)> visit);
  // Gives the attributes for which the visitor answers with a value that value, each where it
  // stands, in one pass over them; returns how many. What comes twice is asked for twice. The
  // visitor must not change this message, and what it answers must live until it is asked again.
  using ValueVisitor = FunctionRef<std::optional<AttributeValue>(const KeyValueView&)>;
  size_t replace_values(ValueVisitor visit);
  // Erases the attributes for which the question is answered with true; returns how many.
  size_t erase_if(FunctionRef<bool(const KeyValueView&)> question);

  // Singular fields, by their number in otlp_fields.h; not attributes. Setting replaces
  // every occurrence; a field that was absent goes to the end, which protobuf allows.
  std::optional<proto::Field> field(uint32_t number) const;
  std::string_view bytes_field(uint32_t number) const;
  void set_bytes(uint32_t number, std::string_view value);
  void set_varint(uint32_t number, uint64_t value);
  void set_fixed64(uint32_t number, uint64_t value);
  void erase_field(uint32_t number);

  // Visits each message of a repeated (or singular) field. What the visitor changes in the child
  // changes this message; a child for which it returns false is dropped. Returns how many stay.
  using ChildVisitor = FunctionRef<bool(MessageEdit& child)>;
  size_t for_each_child(uint32_t number, uint32_t child_attributes, ChildVisitor visit);

  // The body with the changes: its size, and its bytes into a buffer of that size.
  size_t encoded_size() const;
  char* encode(char* out) const;

 private:
  // Bytes that stand for a range of the body. The size may be 0: the range goes.
  struct Patch {
    uint32_t begin;  // The range of the body; empty where something is appended.
    uint32_t end;
    uint32_t number;       // Of an attribute, counted with the appended ones; of a field.
    uint32_t replacement;  // Where in arena_.
    uint32_t size;
  };
  using Patches = std::vector<Patch>;

  void index();
  void touch() {
    changed_ = true;
    ++version_;
  }
  // Room in arena_ for this many bytes. The old storage is handed over, since the caller may be
  // about to copy from a view of it.
  char* extend_arena(size_t size, std::string& keep_alive);
  std::string_view arena(const Patch& patch) const {
    return std::string_view(arena_).substr(patch.replacement, patch.size);
  }
  void replace(Patch& patch, uint32_t replacement, uint32_t size);

  uint32_t attribute_count() const { return slots_.size() + appended_; }
  const Patch* attribute_patch(uint32_t number) const;
  Patch& patch_attribute(uint32_t number);
  // The pair as it stands now; nothing where it was erased.
  std::optional<KeyValueView> attribute(uint32_t number) const;
  // Puts the pair as a field into arena_; returns its size.
  uint32_t write_pair(const Attribute& attribute, std::string& keep_alive);
  void put_attribute(std::string_view key, uint32_t replacement, uint32_t size);

  const Patch* field_patch(uint32_t begin) const;
  Patch& patch_field(uint32_t begin, uint32_t end, uint32_t number);
  void put_field(uint32_t number, uint32_t replacement, uint32_t size);
  void visit_child(std::string_view body, bool own, uint32_t begin, uint32_t end, uint32_t number,
                   uint32_t attributes, ChildVisitor visit, size_t& kept);

  std::string_view body_;
  uint32_t attribute_field_ = 0;
  uint32_t appended_ = 0;
  bool changed_ = false;
  bool valid_ = true;
  bool overgrown_ = false;
  bool indexed_ = false;
  int64_t delta_ = 0;  // How much the body grows.
  uint64_t version_ = 0;
  AttributeSlots slots_;
  Patches attributes_;  // By number, which is by place.
  Patches fields_;      // By place.
  std::string arena_;
  std::unique_ptr<MessageEdit> child_;
  std::string child_body_;
};

}  // namespace sonde
