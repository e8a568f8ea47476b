// SPDX-License-Identifier: Apache-2.0
// Writes JSON into a string, comma by comma, without a tree: JsonWriter w; w.object().member("a",
// 1).key("b").array() .value("x").end().end(); w.take(). Invalid UTF-8 becomes U+FFFD and what is
// not a finite number becomes null, so the output is always valid JSON. It reads nothing.
#pragma once
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sonde {

class JsonWriter {
 public:
  JsonWriter& object();
  JsonWriter& array();
  // Closes the innermost object or array.
  JsonWriter& end();
  JsonWriter& key(std::string_view name);

  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
  JsonWriter& value(double number);
  JsonWriter& value(std::nullptr_t) { return null(); }
  template <std::same_as<bool> B>
  JsonWriter& value(B truth) {
    return raw(truth ? "true" : "false");
  }
  template <std::integral I>
    requires(!std::same_as<I, bool>)
  JsonWriter& value(I number) {
    return raw(std::to_string(number));
  }
  template <class T>
  JsonWriter& value(const std::optional<T>& maybe) {
    return maybe ? value(*maybe) : null();
  }
  JsonWriter& null() { return raw("null"); }
  // A value that is JSON already.
  JsonWriter& raw(std::string_view json);

  template <class T>
  JsonWriter& member(std::string_view name, const T& v) {
    return key(name).value(v);
  }

  const std::string& str() const { return out_; }
  std::string take();

 private:
  void separate();
  void open(char bracket, char closing);

  std::string out_;
  std::vector<char> closing_;
  bool comma_ = false;
};

// Appends `text` quoted and escaped.
void append_json_string(std::string& out, std::string_view text);

}  // namespace sonde
