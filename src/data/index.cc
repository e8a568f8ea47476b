// SPDX-License-Identifier: Apache-2.0
#include "data/index.h"

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

bool Index::read_owner(Owner& owner, uint32_t attribute_field) {
  owner.first_slot = static_cast<uint32_t>(slots_.size());
  Reader reader(body(owner));
  Field field;
  while (reader.next(field)) {
    if (field.number != attribute_field || field.type != Type::Bytes) continue;
    if (!read_slot(field.raw, field.bytes)) return false;
  }
  owner.slots_end = static_cast<uint32_t>(slots_.size());
  return reader.ok();
}

bool Index::read_slot(std::string_view field, std::string_view body) {
  const uint32_t begin = offset(field.data());
  const uint32_t end = begin + static_cast<uint32_t>(field.size());
  // What every writer sends: a key shorter than 128 bytes, then a value that fills the rest.
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(body[i]); };
  if (body.size() >= 4 && byte(0) == 0x0a && byte(1) < 0x80) {
    const size_t value = 2 + static_cast<size_t>(byte(1));
    if (value + 2 <= body.size() && byte(value) == 0x12 && byte(value + 1) < 0x80 &&
        value + 2 + byte(value + 1) == body.size()) {
      slots_.push_back({begin, end, offset(body.data()) + 2, byte(1)});
      return true;
    }
  }
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
