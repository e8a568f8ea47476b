// SPDX-License-Identifier: Apache-2.0
#include "config/value.h"

#include <algorithm>
#include <bit>

namespace sonde::config {

std::string Position::to_string() const {
  if (line == 0) return source ? source->name : std::string();
  return (source ? source->name : std::string("config")) + ":" + std::to_string(line);
}

Value::Value() = default;
Value::~Value() = default;
Value::Value(const Value&) = default;
Value::Value(Value&&) noexcept = default;
Value& Value::operator=(const Value&) = default;
Value& Value::operator=(Value&&) noexcept = default;

Value Value::string(std::string_view text) {
  Value value;
  value.type = Type::String;
  value.text = text;
  return value;
}

Value Value::integer_value(int64_t number) {
  Value value;
  value.type = Type::Int;
  value.integer = number;
  value.number = static_cast<double>(number);
  value.text = std::to_string(number);
  return value;
}

Value Value::boolean_value(bool truth) {
  Value value;
  value.type = Type::Bool;
  value.boolean = truth;
  value.text = truth ? "true" : "false";
  return value;
}

Value Value::map() {
  Value value;
  value.type = Type::Map;
  return value;
}

Value Value::list() {
  Value value;
  value.type = Type::List;
  return value;
}

const Value* Value::find(std::string_view key) const {
  for (const Entry& entry : entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

Value* Value::find(std::string_view key) {
  return const_cast<Value*>(std::as_const(*this).find(key));
}

Value& Value::set(std::string_view key, Value value) {
  if (Value* old = find(key)) return *old = std::move(value);
  entries.push_back({std::string(key), value.position, std::move(value)});
  return entries.back().value;
}

bool same_settings(const Value& a, const Value& b) {
  const auto empty = [](const Value& v) {
    return v.is_null() || (v.is_map() && v.entries.empty());
  };
  if (empty(a) && empty(b)) return true;
  if (a.type != b.type || a.boolean != b.boolean || a.expanded != b.expanded ||
      a.above_int64 != b.above_int64 || a.integer != b.integer || a.text != b.text ||
      std::bit_cast<uint64_t>(a.number) != std::bit_cast<uint64_t>(b.number)) {
    return false;
  }
  return std::ranges::equal(a.items, b.items, same_settings) &&
         std::ranges::equal(a.entries, b.entries, [](const Entry& x, const Entry& y) {
           return x.key == y.key && same_settings(x.value, y.value);
         });
}

std::string_view type_name(Value::Type type) {
  switch (type) {
    case Value::Type::Null:
      return "nothing";
    case Value::Type::Bool:
      return "a boolean";
    case Value::Type::Int:
      return "an integer";
    case Value::Type::Double:
      return "a number";
    case Value::Type::String:
      return "a string";
    case Value::Type::Time:
      return "a time";
    case Value::Type::List:
      return "a list";
    case Value::Type::Map:
      return "a map";
  }
  return "";
}

}  // namespace sonde::config
