// SPDX-License-Identifier: Apache-2.0
// See json_writer.h.
#include "base/json_writer.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "base/check.h"
#include "base/utf8.h"

namespace sonde {

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const char c = text.front();
    size_t length = 1;
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else if ((length = utf8_sequence(text)) > 0) {
      out += text.substr(0, length);
    } else {
      out += kReplacementCharacter;
      length = 1;
    }
    text.remove_prefix(length);
  }
  out += '"';
}

void JsonWriter::separate() {
  if (comma_) out_ += ',';
  comma_ = true;
}

void JsonWriter::open(char bracket, char closing) {
  separate();
  out_ += bracket;
  closing_.push_back(closing);
  comma_ = false;
}

JsonWriter& JsonWriter::object() {
  open('{', '}');
  return *this;
}

JsonWriter& JsonWriter::array() {
  open('[', ']');
  return *this;
}

JsonWriter& JsonWriter::end() {
  CHECK(!closing_.empty(), "end() without object() or array()");
  out_ += closing_.back();
  closing_.pop_back();
  comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  DCHECK(!closing_.empty() && closing_.back() == '}', "key() outside an object");
  separate();
  append_json_string(out_, name);
  out_ += ':';
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  separate();
  append_json_string(out_, text);
  return *this;
}

JsonWriter& JsonWriter::value(double number) {
  if (!std::isfinite(number)) return null();
  return raw(fmt::format("{}", number));
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

std::string JsonWriter::take() {
  CHECK(closing_.empty(), "take() with an open object or array");
  comma_ = false;
  return std::exchange(out_, {});
}

}  // namespace sonde
