// SPDX-License-Identifier: Apache-2.0
#include "data/attribute_view.h"

#include <fmt/format.h>

#include "data/short_pair.h"
#include "data/text_value.h"

namespace sonde {

AnyValueView::AnyValueView(std::string_view message) {
  proto::Reader reader(message);
  proto::Field field;
  // A oneof: the last member on the wire wins, as the protobuf rules have it.
  while (reader.next(field)) {
    using proto::Type;
    namespace f = otlp::any_value;
    const auto set = [&](Kind kind) {
      kind_ = kind;
      bits_ = field.value;
      bytes_ = field.type == Type::Bytes ? field.bytes : std::string_view();
    };
    if (field.type == Type::Bytes) {
      if (field.number == f::kString) set(Kind::String);
      if (field.number == f::kArray) set(Kind::Array);
      if (field.number == f::kMap) set(Kind::Map);
      if (field.number == f::kBytes) set(Kind::Bytes);
    } else if (field.type == Type::Varint) {
      if (field.number == f::kBool) set(Kind::Bool);
      if (field.number == f::kInt) set(Kind::Int);
    } else if (field.type == Type::Fixed64 && field.number == f::kDouble) {
      set(Kind::Double);
    }
  }
}

std::optional<double> AnyValueView::number() const {
  if (kind_ == Kind::Int) return static_cast<double>(as_int());
  if (kind_ == Kind::Double) return as_double();
  return std::nullopt;
}

std::string AnyValueView::to_string() const {
  switch (kind_) {
    case Kind::Empty:
      return {};
    case Kind::String:
      return std::string(bytes_);
    case Kind::Bool:
      return bits_ != 0 ? "true" : "false";
    case Kind::Int:
      return fmt::format("{}", as_int());
    case Kind::Double:
      return fmt::format("{}", as_double());
    case Kind::Array:
    case Kind::Map:
    case Kind::Bytes:
      break;
  }
  std::string out;
  text::put_value(out, *this);
  return out;
}

KeyValueView KeyValueView::parse(std::string_view message) {
  KeyValueView out;
  proto::Reader reader(message);
  proto::Field field;
  while (reader.next(field)) {
    if (field.type != proto::Type::Bytes) continue;
    if (field.number == otlp::key_value::kKey) out.key = field.bytes;
    if (field.number == otlp::key_value::kValue) out.value = AnyValueView(field.bytes);
  }
  return out;
}

std::optional<AnyValueView> AttributesView::find(std::string_view key) const {
  const char* at = message_.data();
  const char* const end = at + message_.size();
  const uint32_t tag = proto::tag_of(field_, proto::Type::Bytes);
  while (at < end) {
    // Only the value of the key that is asked for is read.
    if (end - at >= 6) {
      if (const ShortPair pair = ShortPair::read(at, end, tag); pair.head != 0) {
        const char* const name = at + ShortPair::kKeyBegin;
        const size_t size = pair.key_size();
        const char* const next = at + pair.size();
        if (size == key.size() && same_key(name, key.data(), size)) {
          const char* const value = name + size + 2;
          return AnyValueView({value, static_cast<size_t>(next - value)});
        }
        at = next;
        continue;
      }
    }
    proto::Reader reader({at, static_cast<size_t>(end - at)});
    proto::Field field;
    if (!reader.next(field)) break;
    at = reader.position();
    if (field.number != field_ || field.type != proto::Type::Bytes) continue;
    if (const KeyValueView pair = KeyValueView::parse(field.bytes); pair.key == key)
      return pair.value;
  }
  return std::nullopt;
}

AnyValueView AttributesView::get(std::string_view key) const {
  return find(key).value_or(AnyValueView());
}

size_t AttributesView::size() const {
  size_t count = 0;
  for (auto it = begin(); it != end(); ++it) ++count;
  return count;
}

}  // namespace sonde
