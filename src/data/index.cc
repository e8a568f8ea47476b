// SPDX-License-Identifier: Apache-2.0
#include "data/index.h"

#include <iterator>

#include "data/text.h"
#include "data/wire.h"

namespace sonde {

using proto::Field;
using proto::Reader;
using proto::Type;

Result<Index> Index::build(Signal signal, Bytes chunk) {
  Index index;
  TRY(index.read(signal, std::move(chunk)));
  return index;
}

Result<> Index::read(Signal signal, Bytes chunk) {
  if (chunk.size() > INT32_MAX) return fail(ErrorKind::Exhausted, "a chunk is larger than 2 GiB");
  signal_ = signal;
  chunk_ = std::move(chunk);
  Read result = read_request();
  if (result == Read::Scattered) {
    // A resource in several pieces is legal and never seen: rewrite such a chunk canonically.
    Batch joined = TRY(from_text(to_text(signal, chunk_.view())));
    chunk_ = joined.chunks.empty() ? Bytes() : joined.chunks.front();
    result = read_request();
  }
  if (result == Read::Ok) return {};
  clear();
  chunk_ = {};
  return fail(ErrorKind::Invalid, "malformed OTLP: the sender's encoder is at fault");
}

void Index::clear() {
  groups_.clear();
  scopes_.clear();
  resources_.clear();
  records_.clear();
  slots_.clear();
}

uint32_t Index::record_attributes() const {
  switch (signal_) {
    case Signal::Traces:
      return otlp::span::kAttributes;
    case Signal::Logs:
      return otlp::log::kAttributes;
    case Signal::Metrics:
      break;
  }
  return 0;
}

KeyValueView Index::attribute(const Slot& slot) const {
  Reader reader(chunk_.view().substr(slot.begin, slot.end - slot.begin));
  Field field;
  return reader.next(field) ? KeyValueView::parse(field.bytes) : KeyValueView();
}

Index::Read Index::read_request() {
  clear();
  Reader reader(chunk_.view());
  Field field;
  while (reader.next(field)) {
    if (field.type != Type::Bytes || field.number != otlp::request::kGroups) continue;
    const uint32_t body = offset(field.bytes.data());
    const Read result = read_group(
        {offset(field.raw.data()), body, body + static_cast<uint32_t>(field.bytes.size())});
    if (result != Read::Ok) return result;
  }
  return reader.ok() ? Read::Ok : Read::Malformed;
}

Index::Read Index::read_group(Range range) {
  const auto number = static_cast<uint32_t>(groups_.size());
  groups_.push_back({range, static_cast<uint32_t>(scopes_.size()), 0});
  Owner resource{{range.body_begin, range.body_begin, range.body_begin}, 0, 0, number, false};
  Reader reader(body(range));
  Field field;
  while (reader.next(field)) {
    if (field.type != Type::Bytes) continue;
    const uint32_t begin = offset(field.bytes.data());
    const Range inner{offset(field.raw.data()), begin,
                      begin + static_cast<uint32_t>(field.bytes.size())};
    if (field.number == otlp::group::kResource) {
      if (resource.present) return Read::Scattered;
      static_cast<Range&>(resource) = inner;
      resource.present = true;
      if (!read_owner(resource, otlp::resource::kAttributes)) return Read::Malformed;
    } else if (field.number == otlp::group::kScopes) {
      if (const Read result = read_scope(inner, number); result != Read::Ok) return result;
    }
  }
  groups_.back().scopes_end = static_cast<uint32_t>(scopes_.size());
  resources_.push_back(resource);
  return reader.ok() ? Read::Ok : Read::Malformed;
}

Index::Read Index::read_scope(Range range, uint32_t group) {
  const auto number = static_cast<uint32_t>(scopes_.size());
  const uint32_t attributes = record_attributes();
  scopes_.push_back({range, static_cast<uint32_t>(records_.size()), 0, group});
  Reader reader(body(range));
  Field field;
  while (reader.next(field)) {
    if (field.type != Type::Bytes || field.number != otlp::scope_group::kRecords) continue;
    const uint32_t begin = offset(field.bytes.data());
    Owner& record = records_.emplace_back();
    record.field_begin = offset(field.raw.data());
    record.body_begin = begin;
    record.body_end = begin + static_cast<uint32_t>(field.bytes.size());
    record.parent = number;
    if (!read_owner(record, attributes)) return Read::Malformed;
  }
  scopes_[number].records_end = static_cast<uint32_t>(records_.size());
  return reader.ok() ? Read::Ok : Read::Malformed;
}

namespace {

uint8_t byte(const char* at) { return static_cast<uint8_t>(*at); }

// The end of a field of a one-byte tag and, where it has one, a one-byte length or value: nearly
// all there are. Null for any other, which the Reader then judges. Branches, not a table of sizes:
// spans resemble each other, so the predictor runs ahead where arithmetic would wait for the bytes.
const char* skip_short(const char* at, const char* end) {
  if (end - at < 2 || byte(at) < 8) return nullptr;
  ptrdiff_t size = 0;
  const auto type = static_cast<Type>(byte(at) & 7);
  if (byte(at) >= 0x80) {
    // The flags of a span, whose number 16 is the one that takes two bytes.
    if (byte(at) != 0x85 || byte(at + 1) != 0x01) return nullptr;
    size = 6;
  } else if (type == Type::Bytes) {
    if (byte(at + 1) >= 0x80) return nullptr;
    size = 2 + byte(at + 1);
  } else if (type == Type::Fixed64) {
    size = 9;
  } else if (type == Type::Varint) {
    if (byte(at + 1) >= 0x80) return nullptr;
    size = 2;
  } else if (type == Type::Fixed32) {
    size = 5;
  } else {
    return nullptr;
  }
  return size <= end - at ? at + size : nullptr;
}

// The size of the key of an attribute as every writer sends it: a short key, then a short value
// that fills the rest. `at` points to the body of the pair. Negative for any other shape.
int short_key(const char* at, size_t size) {
  if (size < 4 || byte(at) != 0x0a || byte(at + 1) >= 0x80) return -1;
  const size_t value = 2 + static_cast<size_t>(byte(at + 1));
  if (value + 2 > size || byte(at + value) != 0x12 || byte(at + value + 1) >= 0x80) return -1;
  return value + 2 + byte(at + value + 1) == size ? byte(at + 1) : -1;
}

}  // namespace

// The innermost loop of decoding: short attributes and short fields are taken here by hand, and
// everything else goes through the Reader.
bool Index::read_owner(Owner& owner, uint32_t attribute_field) {
  owner.first_slot = static_cast<uint32_t>(slots_.size());
  const char* const chunk = chunk_.data();
  const char* at = chunk + owner.body_begin;
  const char* const end = chunk + owner.body_end;
  const uint32_t tag = proto::tag_of(attribute_field, Type::Bytes);
  // Gathered here first: appending to the vector one by one would make each wait for the last.
  Slot found[32];
  Slot* last = found;
  const auto flush = [&] {
    if (last != found) slots_.insert(slots_.end(), found, last);
    last = found;
  };
  while (at < end) {
    if (last == std::end(found)) flush();
    while (last != std::end(found) && end - at >= 6 && byte(at) == tag && byte(at + 1) < 0x80) {
      const size_t size = byte(at + 1);
      if (size > static_cast<size_t>(end - at - 2)) break;
      const int key = short_key(at + 2, size);
      if (key < 0) break;
      const auto begin = static_cast<uint32_t>(at - chunk);
      at += 2 + size;
      *last++ = {begin, begin + 2 + static_cast<uint32_t>(size), begin + 4,
                 static_cast<uint32_t>(key)};
    }
    if (last == std::end(found)) continue;
    if (at == end) break;
    if (const char* next = skip_short(at, end)) {
      if (byte(at) == tag) {
        flush();
        if (!read_slot({at, static_cast<size_t>(next - at)},
                       {at + 2, static_cast<size_t>(next - at - 2)}))
          return false;
      }
      at = next;
      continue;
    }
    Reader reader({at, static_cast<size_t>(end - at)});
    Field field;
    if (!reader.next(field)) return false;
    if (field.number == attribute_field && field.type == Type::Bytes) {
      flush();
      if (!read_slot(field.raw, field.bytes)) return false;
    }
    at = field.raw.data() + field.raw.size();
  }
  flush();
  owner.slots_end = static_cast<uint32_t>(slots_.size());
  return true;
}

bool Index::read_slot(std::string_view field, std::string_view body) {
  const uint32_t begin = offset(field.data());
  const uint32_t end = begin + static_cast<uint32_t>(field.size());
  Reader reader(body);
  Field inner;
  std::string_view key(body.data(), 0);
  while (reader.next(inner))
    if (inner.type == Type::Bytes && inner.number == otlp::key_value::kKey) key = inner.bytes;
  if (!reader.ok()) return false;
  slots_.push_back({begin, end, offset(key.data()), static_cast<uint32_t>(key.size())});
  return true;
}

}  // namespace sonde
