// SPDX-License-Identifier: Apache-2.0
#include "data/attribute_slots.h"

#include "data/otlp_fields.h"
#include "data/short_pair.h"
#include "data/wire.h"

namespace sonde {

using proto::Type;

namespace {

uint8_t byte(const char* at) { return static_cast<uint8_t>(*at); }

// The end of a field of a one-byte tag and, where it has one, a one-byte length or value: nearly
// all there are. Null for any other, which the Reader then judges. Branches, not a table of sizes:
// spans resemble each other, so the predictor runs ahead where arithmetic would wait for the bytes.
[[gnu::always_inline]] inline const char* skip_short(const char* at, const char* end) {
  if (end - at < 2) return nullptr;
  const uint8_t tag = byte(at);
  const uint8_t next = byte(at + 1);
  const auto type = static_cast<Type>(tag & 7);
  size_t size = 9;
  if (static_cast<uint8_t>(tag - 8) >= 0x78) {
    // The flags of a span, whose number 16 is the one that takes two bytes.
    if (tag != 0x85 || next != 0x01) return nullptr;
    size = 6;
  } else if (type == Type::Bytes) {
    if (next >= 0x80) return nullptr;
    size = size_t{2} + next;
  } else if (type != Type::Fixed64) {
    if (type == Type::Varint && next < 0x80)
      size = 2;
    else if (type == Type::Fixed32)
      size = 5;
    else
      return nullptr;
  }
  return size <= static_cast<size_t>(end - at) ? at + size : nullptr;
}

}  // namespace

bool AttributeSlots::read(std::string_view body, uint32_t field) {
  count_ = 0;
  others_.clear();
  const char* const begin = body.data();
  const char* const end = begin + body.size();
  const char* at = begin;
  const uint32_t tag = proto::tag_of(field, Type::Bytes);
  // The last place where the shortest of them can begin; none where the body is shorter.
  const char* const last = body.size() >= 6 ? end - 6 : nullptr;
  while (at < end) {
    // Attributes as every writer sends them, one behind the other.
    if (count_ == slots_.size()) slots_.resize(slots_.size() * 2 + 32);
    Slot* slot = slots_.data() + count_;
    Slot* const full = slots_.data() + slots_.size();
    while (at <= last && slot != full) {
      const ShortPair pair = ShortPair::read(at, end, tag);
      if (pair.head == 0) break;
      *slot++ = {static_cast<uint32_t>(at - begin), pair.head};
      at += pair.size();
    }
    count_ = static_cast<uint32_t>(slot - slots_.data());
    if (slot == full) continue;
    // Other fields, up to the next attribute; and attributes of another shape.
    const char* next = nullptr;
    while (at < end && byte(at) != tag && (next = skip_short(at, end)) != nullptr) at = next;
    if (at == end || (next != nullptr && byte(at) == tag)) continue;
    proto::Reader reader({at, static_cast<size_t>(end - at)});
    proto::Field other;
    if (!reader.next(other)) return false;
    if (other.number == field && other.type == Type::Bytes &&
        !read_other(begin, other.raw, other.bytes))
      return false;
    at = reader.position();
  }
  return true;
}

bool AttributeSlots::read_other(const char* body, std::string_view field, std::string_view pair) {
  proto::Reader reader(pair);
  proto::Field inner;
  std::string_view key(pair.data(), 0);
  while (reader.next(inner))
    if (inner.type == Type::Bytes && inner.number == otlp::key_value::kKey) key = inner.bytes;
  if (!reader.ok()) return false;
  if (count_ == slots_.size()) slots_.resize(count_ * 2 + 32);
  // A body of 2 GiB holds more than fits in 24 bits only of pairs of under 128 bytes whose shape is
  // odd; that many are refused.
  if (others_.size() >= (1U << 24)) return false;
  const auto begin = static_cast<uint32_t>(field.data() - body);
  slots_[count_++] = {begin, static_cast<uint32_t>(others_.size()) << 8};
  others_.push_back({begin + static_cast<uint32_t>(field.size()),
                     static_cast<uint32_t>(key.data() - body), static_cast<uint32_t>(key.size())});
  return true;
}

uint32_t AttributeSlots::find(const char* body, std::string_view key, uint32_t from) const {
  const auto size = static_cast<uint32_t>(key.size());
  const Slot* const end = slots_.data() + count_;
  const Slot* at = slots_.data() + from;
  // Of a slot of others_ the head does not say the size of the key: then all are looked at.
  const bool odd = !others_.empty();
  for (; at < end; ++at) {
    if (!odd)
      while (at->head >> 24 != size)
        if (++at == end) return count_;
    const auto slot = static_cast<uint32_t>(at - slots_.data());
    if (key_size(slot) == size && same_key(body + key_begin(slot), key.data(), size)) return slot;
  }
  return count_;
}

}  // namespace sonde
