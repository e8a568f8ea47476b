// SPDX-License-Identifier: Apache-2.0
//
// The tree a configuration file becomes before any component sees it. Every node remembers where it
// was written, so that an error can name a file and a line. Maps keep the order of the file.
// It is not a general JSON document: it is built by parse_yaml and read by the decoder in field.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sonde::config {

// Where a value was written. The file name is shared by all values of one file.
struct Position {
  std::shared_ptr<const std::string> file;
  uint32_t line = 0;  // From 1; 0 says that the value was not read from a file.
  uint32_t column = 0;

  // "sonde.yaml:12", or an empty string for a value that was made in code.
  std::string to_string() const;
};

struct Entry;

struct Value {
  enum class Type { Null, Bool, Int, Double, String, List, Map };

  Type type = Type::Null;
  bool boolean = false;
  int64_t integer = 0;
  double number = 0;           // Also set for Int.
  std::string text;            // The scalar as written, so `version: 1.10` can be read as a string.
  std::vector<Value> items;    // Of a List.
  std::vector<Entry> entries;  // Of a Map, in the order of the file.
  Position position;

  Value();
  ~Value();
  Value(const Value&);
  Value(Value&&) noexcept;
  Value& operator=(const Value&);
  Value& operator=(Value&&) noexcept;

  static Value string(std::string_view text);
  static Value integer_value(int64_t value);
  static Value boolean_value(bool value);
  static Value map();
  static Value list();

  bool is_null() const { return type == Type::Null; }
  bool is_map() const { return type == Type::Map; }
  bool is_list() const { return type == Type::List; }
  bool is_scalar() const { return type != Type::Map && type != Type::List; }

  // The value under a key of a map, or nullptr.
  const Value* find(std::string_view key) const;
  Value* find(std::string_view key);
  // Sets or replaces a key of a map and returns the value now held there.
  Value& set(std::string_view key, Value value);
};

struct Entry {
  std::string key;
  Position position;  // Of the key.
  Value value;
};

// "map", "list", "string", ...: for messages.
std::string_view type_name(Value::Type type);

}  // namespace sonde::config
