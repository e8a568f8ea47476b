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

// What was read: its name for messages, and its text, so that an error can show the line.
struct Source {
  std::string name;  // "sonde.yaml", "--set", "${env:NAME}".
  std::string text;
  bool shown = true;  // False where the text may hold a secret: the environment, fetched files.
};

// Where a value was written. The source is shared by all its values.
struct Position {
  std::shared_ptr<const Source> source;
  uint32_t line = 0;    // From 1; 0 says that the value was not read from a file.
  uint32_t column = 0;  // From 1, in characters.

  // "sonde.yaml:12", or an empty string for a value that was made in code.
  std::string to_string() const;
};

struct Entry;

struct Value {
  enum class Type { Null, Bool, Int, Double, String, Time, List, Map };

  Type type = Type::Null;
  bool boolean = false;
  // `${...}` was the whole value: it keeps the type of what it stands for, and `text` has that in
  // the original form, which is what a string setting gets ("0123" stays "0123").
  bool expanded = false;
  bool above_int64 = false;    // An Int whose `integer` holds the bits of a larger uint64.
  int64_t integer = 0;         // Of an Int. Of a Time: nanoseconds since 1970.
  double number = 0;           // Also set for Int.
  std::string text;            // The scalar as written.
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

// Whether both say the same to whoever reads them, wherever they were written. The order of a map's
// keys counts, since some settings are read in order; nothing is the same as an empty map.
bool same_settings(const Value& a, const Value& b);

// "map", "list", "string", ...: for messages.
std::string_view type_name(Value::Type type);

}  // namespace sonde::config
