// SPDX-License-Identifier: Apache-2.0
#include "data/edit.h"

#include <utility>

#include "base/check.h"
#include "data/group_buffer.h"
#include "data/wire.h"

namespace sonde {

void Edit::reset(const Index& index) {
  index_ = &index;
  dirty_ = false;
  records_.clear();
  resources_.clear();
  entries_.clear();
  arena_.clear();
}

const Index::Owner& Edit::owner(Target target) const {
  const auto& owners = target.is_resource ? index_->resources() : index_->records();
  CHECK(target.number < owners.size(), "an edit of something that is not there");
  return owners[target.number];
}

Edit::State& Edit::state(Target target) {
  auto& states = target.is_resource ? resources_ : records_;
  if (states.empty())
    states.resize(target.is_resource ? index_->resources().size() : index_->records().size());
  dirty_ = true;
  return states[target.number];
}

const Edit::State& Edit::state(Target target) const {
  static constexpr State kClean;
  const auto& states = target.is_resource ? resources_ : records_;
  return states.empty() ? kClean : states[target.number];
}

KeyValueView Edit::attribute(const Entry& entry) const {
  proto::Reader reader(bytes(entry));
  proto::Field field;
  return reader.next(field) ? KeyValueView::parse(field.bytes) : KeyValueView();
}

// The entry of a slot, made and linked in the order of slots where there was none.
Edit::Entry& Edit::entry(State& state, uint32_t slot, bool& fresh) {
  if (state.head == 0) {
    fresh = true;
    entries_.push_back({slot, 0, 0, 0});
    state.head = static_cast<uint32_t>(entries_.size());
    return entries_.back();
  }
  uint32_t before = 0;
  uint32_t at = state.head;
  while (at != 0 && entries_[at - 1].slot < slot) before = std::exchange(at, entries_[at - 1].next);
  fresh = at == 0 || entries_[at - 1].slot != slot || slot == kAppended;
  if (!fresh) return entries_[at - 1];
  // Several may be appended: a new one goes behind them.
  while (at != 0 && entries_[at - 1].slot == slot)
    before = std::exchange(at, entries_[at - 1].next);
  entries_.push_back({slot, at, 0, 0});
  const auto added = static_cast<uint32_t>(entries_.size());
  (before == 0 ? state.head : entries_[before - 1].next) = added;
  return entries_.back();
}

Edit::Entry* Edit::appended(State& state, std::string_view key) {
  for (uint32_t at = state.head; at != 0; at = entries_[at - 1].next) {
    Entry& entry = entries_[at - 1];
    if (entry.slot == kAppended && entry.size > 0 && attribute(entry).key == key) return &entry;
  }
  return nullptr;
}

void Edit::set(Target target, std::string_view key, const AttributeValue& value) {
  const Index::Owner& of = owner(target);
  const uint32_t field =
      target.is_resource ? otlp::resource::kAttributes : index_->record_attributes();
  CHECK(field != 0, "a metric has no attributes; its points have");
  State& of_state = state(target);

  const auto begin = static_cast<uint32_t>(arena_.size());
  const Attribute attribute{key, value};
  const size_t body = attribute_wire::key_value_size(attribute);
  const auto size = static_cast<uint32_t>(proto::bytes_size(field, body));
  char* at = proto::put_header(proto::extend(arena_, size), field, body);
  attribute_wire::put_key_value(at, attribute, body);

  const auto replace = [&](Entry& entry, uint32_t old_size, uint32_t new_size) {
    of_state.delta += static_cast<int32_t>(new_size) - static_cast<int32_t>(old_size);
    entry.begin = begin;
    entry.size = new_size;
  };
  const Index::Slot* slots = index_->slots().data();
  const char* chunk = index_->chunk().data();
  bool placed = false;
  for (uint32_t i = of.first_slot; i < of.slots_end; ++i) {
    const Index::Slot& slot = slots[i];
    if (slot.key_size != key.size() ||
        std::memcmp(chunk + slot.key_begin, key.data(), key.size()) != 0)
      continue;
    bool fresh = false;
    Entry& found = entry(of_state, i, fresh);
    replace(found, fresh ? slot.end - slot.begin : found.size, placed ? 0 : size);
    placed = true;
  }
  if (placed) return;
  if (Entry* found = appended(of_state, key)) {
    replace(*found, found->size, size);
    return;
  }
  bool fresh = false;
  replace(entry(of_state, kAppended, fresh), 0, size);
}

void Edit::erase(Target target, std::string_view key) {
  const Index::Owner& of = owner(target);
  for (uint32_t i = of.first_slot; i < of.slots_end; ++i) {
    const Index::Slot& slot = index_->slots()[i];
    if (index_->key(slot) != key) continue;
    State& of_state = state(target);
    bool fresh = false;
    Entry& found = entry(of_state, i, fresh);
    of_state.delta -= static_cast<int32_t>(fresh ? slot.end - slot.begin : found.size);
    found.size = 0;
  }
  if (State& of_state = state(target); Entry* found = appended(of_state, key)) {
    of_state.delta -= static_cast<int32_t>(found->size);
    found->size = 0;
  }
}

void Edit::drop_record(size_t number) {
  owner(record(number));
  state(record(number)).dropped = true;
}

std::optional<AnyValueView> Edit::get(Target target, std::string_view key) const {
  const Index::Owner& of = owner(target);
  uint32_t at = state(target).head;
  for (uint32_t i = of.first_slot; i < of.slots_end; ++i) {
    const Index::Slot& slot = index_->slots()[i];
    while (at != 0 && entries_[at - 1].slot < i) at = entries_[at - 1].next;
    if (index_->key(slot) != key) continue;
    if (at == 0 || entries_[at - 1].slot != i) return index_->attribute(slot).value;
    if (entries_[at - 1].size > 0) return attribute(entries_[at - 1]).value;
  }
  for (; at != 0; at = entries_[at - 1].next) {
    const Entry& entry = entries_[at - 1];
    if (entry.slot != kAppended || entry.size == 0) continue;
    if (const KeyValueView pair = attribute(entry); pair.key == key) return pair.value;
  }
  return std::nullopt;
}

int64_t Edit::field_delta(const Index::Range& range, int64_t delta) {
  const int64_t body = range.body_end - range.body_begin + delta;
  // The tags of all messages here are one byte.
  return 1 + static_cast<int64_t>(proto::varint_size(static_cast<uint64_t>(body))) + body -
         (range.body_end - range.field_begin);
}

namespace {
char* copy(char* out, const char* begin, size_t size) { return proto::put_raw(out, begin, size); }
}  // namespace

char* Edit::put_owner(char* out, uint32_t field, const Index::Owner& of, const State& edits) const {
  const char* chunk = index_->chunk().data();
  out =
      proto::put_header(out, field, static_cast<size_t>(of.body_end - of.body_begin + edits.delta));
  const auto& slots = index_->slots();
  uint32_t done = of.body_begin;
  for (uint32_t at = edits.head; at != 0; at = entries_[at - 1].next) {
    const Entry& entry = entries_[at - 1];
    uint32_t begin = of.body_end;
    if (entry.slot != kAppended)
      begin = slots[entry.slot].begin;
    else if (of.slots_end > of.first_slot)
      begin = slots[of.slots_end - 1].end;
    out = copy(out, chunk + done, begin - done);
    out = copy(out, arena_.data() + entry.begin, entry.size);
    done = entry.slot != kAppended ? slots[entry.slot].end : begin;
  }
  return copy(out, chunk + done, of.body_end - done);
}

Bytes Edit::encode() const {
  if (!dirty_) return index_->chunk();
  const auto touched = [](const State& state) { return state.dropped || state.head != 0; };
  // Bottom up, how much each message grows.
  std::vector<int64_t> scopes(index_->scopes().size());
  std::vector<int64_t> groups(index_->groups().size());
  int64_t total = static_cast<int64_t>(index_->chunk().size());
  std::vector<char> dirty_scope(scopes.size());
  std::vector<char> dirty_group(groups.size());
  for (size_t i = 0; i < records_.size(); ++i) {
    if (!touched(records_[i])) continue;
    const Index::Owner& of = index_->records()[i];
    dirty_scope[of.parent] = 1;
    scopes[of.parent] += records_[i].dropped ? -static_cast<int64_t>(of.body_end - of.field_begin)
                                             : field_delta(of, records_[i].delta);
  }
  for (size_t i = 0; i < scopes.size(); ++i) {
    if (!dirty_scope[i]) continue;
    const Index::Scope& scope = index_->scopes()[i];
    groups[scope.group] += field_delta(scope, scopes[i]);
    dirty_group[scope.group] = 1;
  }
  for (size_t i = 0; i < resources_.size(); ++i) {
    if (!touched(resources_[i])) continue;
    groups[i] += field_delta(index_->resources()[i], resources_[i].delta);
    dirty_group[i] = 1;
  }
  for (size_t i = 0; i < groups.size(); ++i)
    if (dirty_group[i]) total += field_delta(index_->groups()[i], groups[i]);

  // Top down, the bytes: what is clean is copied along with what lies before the next dirty one.
  std::string encoded;
  char* out = proto::extend(encoded, static_cast<size_t>(total));
  const char* chunk = index_->chunk().data();
  uint32_t done = 0;
  const auto copy_until = [&](uint32_t end) {
    out = copy(out, chunk + done, end - done);
    done = end;
  };
  const auto open = [&](uint32_t field, const Index::Range& range, int64_t delta) {
    copy_until(range.field_begin);
    out = proto::put_header(out, field,
                            static_cast<size_t>(range.body_end - range.body_begin + delta));
    done = range.body_begin;
  };
  const auto put = [&](uint32_t field, const Index::Owner& of, const State& edits) {
    copy_until(of.field_begin);
    if (!edits.dropped) out = put_owner(out, field, of, edits);
    done = of.body_end;
  };
  for (size_t g = 0; g < groups.size(); ++g) {
    if (!dirty_group[g]) continue;
    const Index::Group& group = index_->groups()[g];
    open(otlp::request::kGroups, group, groups[g]);
    const Index::Owner& resource = index_->resources()[g];
    bool pending = !resources_.empty() && touched(resources_[g]);
    for (uint32_t s = group.first_scope; s < group.scopes_end; ++s) {
      const Index::Scope& scope = index_->scopes()[s];
      if (pending && resource.field_begin <= scope.field_begin) {
        put(otlp::group::kResource, resource, resources_[g]);
        pending = false;
      }
      if (!dirty_scope[s]) continue;
      open(otlp::group::kScopes, scope, scopes[s]);
      for (uint32_t r = scope.first_record; r < scope.records_end; ++r)
        if (touched(records_[r]))
          put(otlp::scope_group::kRecords, index_->records()[r], records_[r]);
      copy_until(scope.body_end);
    }
    if (pending) put(otlp::group::kResource, resource, resources_[g]);
    copy_until(group.body_end);
  }
  copy_until(static_cast<uint32_t>(index_->chunk().size()));
  CHECK(out == encoded.data() + encoded.size(), "the sizes of an edited chunk do not add up");
  return Bytes::take(std::move(encoded));
}

}  // namespace sonde
