// SPDX-License-Identifier: Apache-2.0
// Attributes as they lie in OTLP bytes: views that own nothing and copy nothing. A range walks the
// KeyValue fields of one message; a value says its kind and gives its content. Bytes that do not
// parse read as an absent attribute or an empty value, never as a crash. Nothing here recurses: an
// array or a map is again a range that the caller may walk, and bound.
#pragma once

#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include "data/otlp_fields.h"
#include "data/wire.h"

namespace sonde {

class AnyValueView {
 public:
  enum class Kind : uint8_t { Empty, String, Bool, Int, Double, Array, Map, Bytes };

  AnyValueView() = default;
  explicit AnyValueView(std::string_view message);  // The body of an AnyValue.

  Kind kind() const { return kind_; }
  bool is_string() const { return kind_ == Kind::String; }
  // Each gives the zero of its type when the value is of another kind.
  std::string_view as_string() const { return is_string() ? bytes_ : std::string_view(); }
  bool as_bool() const { return kind_ == Kind::Bool && bits_ != 0; }
  int64_t as_int() const { return kind_ == Kind::Int ? static_cast<int64_t>(bits_) : 0; }
  double as_double() const { return kind_ == Kind::Double ? std::bit_cast<double>(bits_) : 0; }
  // An integer or a double, as a double.
  std::optional<double> number() const;
  // String, Bytes: the content. Array, Map: the body of the message.
  std::string_view bytes() const { return bytes_; }
  // For people: strings as they are, numbers and booleans spelled out, else the text form. What
  // other programs match or compare is collector_text.h's.
  std::string to_string() const;

 private:
  Kind kind_ = Kind::Empty;
  uint64_t bits_ = 0;
  std::string_view bytes_;
};

struct KeyValueView {
  std::string_view key;
  AnyValueView value;

  static KeyValueView parse(std::string_view message);
};

// The messages of one repeated field of a message, in their order on the wire.
template <class View>
class FieldRange {
 public:
  FieldRange() = default;
  FieldRange(std::string_view message, uint32_t field) : message_(message), field_(field) {}

  class iterator {
   public:
    using value_type = View;
    using difference_type = ptrdiff_t;
    using iterator_category = std::input_iterator_tag;
    iterator(std::string_view message, uint32_t field) : reader_(message), field_(field) {
      ++*this;
    }
    iterator& operator++() {
      while ((more_ = reader_.next(raw_)))
        if (raw_.number == field_ && raw_.type == proto::Type::Bytes) break;
      return *this;
    }
    void operator++(int) { ++*this; }
    View operator*() const {
      if constexpr (requires { View::parse(raw_.bytes); }) {
        return View::parse(raw_.bytes);
      } else {
        return View(raw_.bytes);
      }
    }
    bool operator==(std::default_sentinel_t) const { return !more_; }

   private:
    proto::Reader reader_;
    uint32_t field_;
    proto::Field raw_;
    bool more_ = false;
  };

  iterator begin() const { return {message_, field_}; }
  std::default_sentinel_t end() const { return {}; }
  bool empty() const { return begin() == end(); }

 protected:
  std::string_view message_;
  uint32_t field_ = 0;
};

class AttributesView : public FieldRange<KeyValueView> {
 public:
  using FieldRange::FieldRange;
  // The value of a key; Empty when there is none.
  AnyValueView get(std::string_view key) const;
  std::optional<AnyValueView> find(std::string_view key) const;
  size_t size() const;
};

// The elements of an array value and the pairs of a map value; empty for other kinds.
inline FieldRange<AnyValueView> elements(const AnyValueView& value) {
  if (value.kind() != AnyValueView::Kind::Array) return {};
  return {value.bytes(), otlp::list::kValues};
}
inline AttributesView pairs(const AnyValueView& value) {
  if (value.kind() != AnyValueView::Kind::Map) return {};
  return {value.bytes(), otlp::list::kValues};
}

struct ResourceView {
  std::string_view message;
  std::string_view schema_url;
  // Of a walk over a chunk: the how manieth group it heads, from 0. Where it is the same, so is the
  // resource, and what was read of it still holds.
  size_t group = 0;
  AttributesView attributes() const { return {message, otlp::resource::kAttributes}; }
  AnyValueView get(std::string_view key) const { return attributes().get(key); }
};

struct ScopeView {
  std::string_view message;
  std::string_view name;
  std::string_view version;
  std::string_view schema_url;
  AttributesView attributes() const { return {message, otlp::scope::kAttributes}; }
};

}  // namespace sonde
