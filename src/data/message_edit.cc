// SPDX-License-Identifier: Apache-2.0
#include "data/message_edit.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "data/group_buffer.h"
#include "data/otlp_fields.h"

namespace sonde {

using proto::Field;
using proto::Reader;
using proto::Type;

namespace {

// What the changes of the children of one message may take: so many times what it is, within these.
constexpr size_t kTimes = 16;
constexpr size_t kMuch = size_t{256} << 20;
constexpr size_t kMost = size_t{1} << 30;

KeyValueView pair_of(std::string_view field) {
  Reader reader(field);
  Field raw;
  return reader.next(raw) ? KeyValueView::parse(raw.bytes) : KeyValueView();
}

}  // namespace

// Longer than what lies within a string object, so that swapping it keeps views of it alive.
MessageEdit::MessageEdit() { arena_.reserve(512); }

void MessageEdit::open(std::string_view body, uint32_t attribute_field) {
  CHECK(body.size() <= INT32_MAX, "a message of 2 GiB or more cannot be edited");
  body_ = body;
  attribute_field_ = attribute_field;
  appended_ = 0;
  changed_ = indexed_ = false;
  valid_ = true;
  overgrown_ = false;
  delta_ = 0;
  ++version_;
  slots_.clear();
  attributes_.clear();
  fields_.clear();
  arena_.clear();
}

void MessageEdit::index() {
  if (indexed_) return;
  CHECK(attribute_field_ != 0, "this message has no attributes");
  indexed_ = true;
  if (!slots_.read(body_, attribute_field_)) valid_ = false;
}

char* MessageEdit::extend_arena(size_t size, std::string& keep_alive) {
  if (arena_.capacity() - arena_.size() < size) [[unlikely]] {
    CHECK(arena_.size() + size <= INT32_MAX, "the changes of one message exceed 2 GiB");
    std::string larger;
    larger.reserve(std::max(arena_.size() + size, arena_.capacity() * 2));
    larger.append(arena_);
    keep_alive = std::exchange(arena_, std::move(larger));
  }
  return proto::extend(arena_, size);
}

void MessageEdit::replace(Patch& patch, uint32_t replacement, uint32_t size) {
  delta_ += static_cast<int64_t>(size) - static_cast<int64_t>(patch.size);
  patch.replacement = replacement;
  patch.size = size;
}

const MessageEdit::Patch* MessageEdit::attribute_patch(uint32_t number) const {
  if (attributes_.empty() || attributes_.back().number < number) return nullptr;
  const auto at = std::ranges::lower_bound(attributes_, number, {}, &Patch::number);
  return at->number == number ? &*at : nullptr;
}

MessageEdit::Patch& MessageEdit::patch_attribute(uint32_t number) {
  auto at = attributes_.end();
  if (!attributes_.empty() && attributes_.back().number >= number) {
    at = std::ranges::lower_bound(attributes_, number, {}, &Patch::number);
    if (at->number == number) return *at;
  }
  Patch patch{0, 0, number, 0, 0};
  if (number < slots_.size()) {
    patch.begin = slots_.begin(number);
    patch.end = slots_.end(number);
    patch.size = patch.end - patch.begin;
  } else {
    patch.begin =
        slots_.empty() ? static_cast<uint32_t>(body_.size()) : slots_.end(slots_.size() - 1);
    patch.end = patch.begin;
    ++appended_;
  }
  return *attributes_.insert(at, patch);
}

std::optional<KeyValueView> MessageEdit::attribute(uint32_t number) const {
  if (const Patch* patch = attribute_patch(number)) {
    if (patch->size == 0) return std::nullopt;
    return pair_of(arena(*patch));
  }
  const uint32_t begin = slots_.begin(number);
  return pair_of(body_.substr(begin, slots_.end(number) - begin));
}

std::optional<AnyValueView> MessageEdit::get(std::string_view key) {
  index();
  for (uint32_t i = slots_.find(body_.data(), key); i < slots_.size();
       i = slots_.find(body_.data(), key, i + 1))
    if (const auto pair = attribute(i)) return pair->value;
  for (uint32_t i = slots_.size(); i < attribute_count(); ++i)
    if (const auto pair = attribute(i); pair && pair->key == key) return pair->value;
  return std::nullopt;
}

void MessageEdit::put_attribute(std::string_view key, uint32_t replacement, uint32_t size) {
  touch();
  bool placed = false;
  const auto place = [&](uint32_t number) {
    replace(patch_attribute(number), replacement, placed ? 0 : size);
    placed = true;
  };
  for (uint32_t i = slots_.find(body_.data(), key); i < slots_.size();
       i = slots_.find(body_.data(), key, i + 1))
    place(i);
  for (uint32_t i = slots_.size(); i < attribute_count(); ++i)
    if (const auto pair = attribute(i); pair && pair->key == key) place(i);
  if (!placed) place(attribute_count());
}

uint32_t MessageEdit::write_pair(const Attribute& attribute, std::string& keep_alive) {
  const size_t pair = attribute_wire::key_value_size(attribute);
  const size_t size = proto::bytes_size(attribute_field_, pair);
  char* at = proto::put_header(extend_arena(size, keep_alive), attribute_field_, pair);
  attribute_wire::put_key_value(at, attribute, pair);
  return static_cast<uint32_t>(size);
}

void MessageEdit::set(std::string_view key, const AttributeValue& value) {
  index();
  const auto begin = static_cast<uint32_t>(arena_.size());
  std::string keep_alive;
  const uint32_t size = write_pair({key, value}, keep_alive);
  put_attribute(key, begin, size);
}

void MessageEdit::set_any(std::string_view key, std::string_view any_value) {
  namespace f = otlp::key_value;
  index();
  const size_t pair =
      proto::bytes_size(f::kKey, key.size()) + proto::bytes_size(f::kValue, any_value.size());
  const size_t size = proto::bytes_size(attribute_field_, pair);
  const auto begin = static_cast<uint32_t>(arena_.size());
  std::string keep_alive;
  char* at = proto::put_header(extend_arena(size, keep_alive), attribute_field_, pair);
  proto::put_bytes(proto::put_bytes(at, f::kKey, key), f::kValue, any_value);
  put_attribute(key, begin, static_cast<uint32_t>(size));
}

bool MessageEdit::erase(std::string_view key) {
  index();
  bool any = false;
  const auto take = [&](uint32_t number) {
    Patch& patch = patch_attribute(number);
    if (patch.size == 0) return;
    replace(patch, 0, 0);
    any = true;
  };
  for (uint32_t i = slots_.find(body_.data(), key); i < slots_.size();
       i = slots_.find(body_.data(), key, i + 1))
    take(i);
  for (uint32_t i = slots_.size(); i < attribute_count(); ++i)
    if (const auto pair = attribute(i); pair && pair->key == key) take(i);
  if (any) touch();
  return any;
}

void MessageEdit::for_each_attribute(FunctionRef<void(const KeyValueView&)> visit) {
  index();
  for (uint32_t i = 0; i < attribute_count(); ++i)
    if (const auto pair = attribute(i)) visit(*pair);
}

size_t MessageEdit::replace_values(ValueVisitor visit) {
  index();
  size_t replaced = 0;
  for (uint32_t i = 0; i < attribute_count(); ++i) {
    const auto pair = attribute(i);
    if (!pair) continue;
    const auto value = visit(*pair);
    if (!value) continue;
    const auto begin = static_cast<uint32_t>(arena_.size());
    std::string keep_alive;
    const uint32_t size = write_pair({pair->key, *value}, keep_alive);
    replace(patch_attribute(i), begin, size);
    ++replaced;
  }
  if (replaced > 0) touch();
  return replaced;
}

size_t MessageEdit::erase_if(FunctionRef<bool(const KeyValueView&)> question) {
  index();
  size_t erased = 0;
  for (uint32_t i = 0; i < attribute_count(); ++i) {
    const auto pair = attribute(i);
    if (!pair || !question(*pair)) continue;
    replace(patch_attribute(i), 0, 0);
    ++erased;
  }
  if (erased > 0) touch();
  return erased;
}

const MessageEdit::Patch* MessageEdit::field_patch(uint32_t begin) const {
  const auto at = std::ranges::lower_bound(fields_, begin, {}, &Patch::begin);
  return at != fields_.end() && at->begin == begin && at->end > begin ? &*at : nullptr;
}

MessageEdit::Patch& MessageEdit::patch_field(uint32_t begin, uint32_t end, uint32_t number) {
  auto at = fields_.end();
  if (!fields_.empty() && fields_.back().begin >= begin) {
    at = std::ranges::lower_bound(fields_, begin, {}, &Patch::begin);
    // What is appended all lies at the end of the body: there the number tells.
    while (at != fields_.end() && at->begin == begin && at->number != number) ++at;
    if (at != fields_.end() && at->begin == begin) return *at;
  }
  return *fields_.insert(at, {begin, end, number, 0, end - begin});
}

std::optional<Field> MessageEdit::field(uint32_t number) const {
  std::optional<Field> found;
  Field raw;
  const auto look = [&](std::string_view bytes) {
    Reader reader(bytes);
    if (reader.next(raw)) found = raw;
  };
  // The last one on the wire counts, as the protobuf rules have it.
  Reader reader(body_);
  Field original;
  while (reader.next(original)) {
    if (original.number != number) continue;
    const Patch* patch = field_patch(static_cast<uint32_t>(original.raw.data() - body_.data()));
    if (patch == nullptr)
      found = original;
    else if (patch->size > 0)
      look(arena(*patch));
  }
  for (const Patch& patch : fields_)
    if (patch.begin == patch.end && patch.number == number && patch.size > 0) look(arena(patch));
  return found;
}

std::string_view MessageEdit::bytes_field(uint32_t number) const {
  const auto found = field(number);
  return found && found->type == Type::Bytes ? found->bytes : std::string_view();
}

void MessageEdit::put_field(uint32_t number, uint32_t replacement, uint32_t size) {
  touch();
  bool placed = false;
  Reader reader(body_);
  Field original;
  while (reader.next(original)) {
    if (original.number != number) continue;
    const auto begin = static_cast<uint32_t>(original.raw.data() - body_.data());
    const auto end = begin + static_cast<uint32_t>(original.raw.size());
    replace(patch_field(begin, end, number), replacement, placed ? 0 : size);
    placed = true;
  }
  if (!reader.ok()) valid_ = false;
  const auto last = static_cast<uint32_t>(body_.size());
  if (!placed) replace(patch_field(last, last, number), replacement, size);
}

void MessageEdit::set_bytes(uint32_t number, std::string_view value) {
  const auto begin = static_cast<uint32_t>(arena_.size());
  const size_t size = proto::bytes_size(number, value.size());
  std::string keep_alive;
  proto::put_bytes(extend_arena(size, keep_alive), number, value);
  put_field(number, begin, static_cast<uint32_t>(size));
}

void MessageEdit::set_varint(uint32_t number, uint64_t value) {
  const auto begin = static_cast<uint32_t>(arena_.size());
  const size_t size = proto::tag_size(number) + proto::varint_size(value);
  std::string keep_alive;
  char* at = extend_arena(size, keep_alive);
  proto::put_varint(proto::put_varint(at, proto::tag_of(number, Type::Varint)), value);
  put_field(number, begin, static_cast<uint32_t>(size));
}

void MessageEdit::set_fixed64(uint32_t number, uint64_t value) {
  const auto begin = static_cast<uint32_t>(arena_.size());
  const size_t size = proto::tag_size(number) + 8;
  std::string keep_alive;
  proto::put_fixed64(extend_arena(size, keep_alive), number, value);
  put_field(number, begin, static_cast<uint32_t>(size));
}

void MessageEdit::erase_field(uint32_t number) {
  if (field(number)) put_field(number, 0, 0);
}

void MessageEdit::visit_child(std::string_view body, bool own, uint32_t begin, uint32_t end,
                              uint32_t number, uint32_t attributes, ChildVisitor visit,
                              size_t& kept) {
  if (overgrown_) return;
  if (own) {
    // The visitor's own changes may move arena_.
    child_body_.assign(body);
    body = child_body_;
  }
  if (!child_) child_ = std::make_unique<MessageEdit>();
  MessageEdit& child = *child_;
  child.open(body, attributes);
  const bool keep = visit(child);
  if (!child.valid()) valid_ = false;
  overgrown_ = overgrown_ || child.overgrown_;
  kept += keep ? 1 : 0;
  if (keep && !child.changed()) return;
  touch();
  uint32_t replacement = 0;
  size_t size = 0;
  if (keep) {
    const size_t inner = child.encoded_size();
    size = proto::bytes_size(number, inner);
    if (arena_.size() + size > std::clamp(kTimes * body_.size(), kMuch, kMost)) {
      overgrown_ = true;
      valid_ = false;
      return;
    }
    replacement = static_cast<uint32_t>(arena_.size());
    std::string keep_alive;
    child.encode(proto::put_header(extend_arena(size, keep_alive), number, inner));
  }
  replace(patch_field(begin, end, number), replacement, static_cast<uint32_t>(size));
}

size_t MessageEdit::for_each_child(uint32_t number, uint32_t child_attributes, ChildVisitor visit) {
  size_t kept = 0;
  const auto revisit = [&](const Patch& patch) {
    if (patch.size == 0) return;
    Reader inner(arena(patch));
    Field field;
    if (inner.next(field) && field.type == Type::Bytes)
      visit_child(field.bytes, true, patch.begin, patch.end, number, child_attributes, visit, kept);
  };
  Reader reader(body_);
  Field field;
  while (reader.next(field)) {
    if (field.number != number || field.type != Type::Bytes) continue;
    const auto begin = static_cast<uint32_t>(field.raw.data() - body_.data());
    if (const Patch* patch = field_patch(begin))
      revisit(*patch);
    else
      visit_child(field.bytes, false, begin, begin + static_cast<uint32_t>(field.raw.size()),
                  number, child_attributes, visit, kept);
  }
  if (!reader.ok()) valid_ = false;
  for (size_t i = 0; i < fields_.size(); ++i)
    if (fields_[i].begin == fields_[i].end && fields_[i].number == number) revisit(fields_[i]);
  return kept;
}

size_t MessageEdit::encoded_size() const {
  return static_cast<size_t>(static_cast<int64_t>(body_.size()) + delta_);
}

char* MessageEdit::encode(char* out) const {
  const char* const body = body_.data();
  uint32_t done = 0;
  const auto put = [&](const Patch& patch) {
    out = proto::put_raw(out, body + done, patch.begin - done);
    out = proto::put_raw(out, arena_.data() + patch.replacement, patch.size);
    done = patch.end;
  };
  auto field = fields_.begin();
  for (const Patch& patch : attributes_) {
    while (field != fields_.end() && field->begin < patch.begin) put(*field++);
    put(patch);
  }
  while (field != fields_.end()) put(*field++);
  return proto::put_raw(out, body + done, body_.size() - done);
}

}  // namespace sonde
