// SPDX-License-Identifier: Apache-2.0
#include "data/collector_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

#include "base/base64.h"
#include "base/utf8.h"

namespace sonde {
namespace {

using Kind = AnyValueView::Kind;

// Digits and exponent as to_chars() gives them, laid out as ECMAScript and Go's JSON do. Its own
// fixed form would spell out digits of large numbers that tell nothing.
void append_double(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "NaN";
    return;
  }
  if (std::isinf(value)) {
    out += value < 0 ? "-Infinity" : "Infinity";
    return;
  }
  std::array<char, 32> buffer;
  const char* const end =
      std::to_chars(buffer.begin(), buffer.end(), value, std::chars_format::scientific).ptr;
  std::string_view text(buffer.data(), static_cast<size_t>(end - buffer.data()));
  if (text.front() == '-') {
    out += '-';
    text.remove_prefix(1);
  }
  const size_t mark = text.find('e');
  const bool small = text[mark + 1] == '-';
  int exponent = 0;
  std::from_chars(text.data() + mark + 2, end, exponent);
  if (small) exponent = -exponent;
  const std::string_view number = text.substr(0, mark);
  if (exponent < -6 || exponent >= 21) {
    fmt::format_to(std::back_inserter(out), "{}e{:+}", number, exponent);
    return;
  }
  std::string digits(number.substr(0, 1));
  if (number.size() > 2) digits += number.substr(2);
  if (exponent < 0) {
    out += "0.";
    out.append(static_cast<size_t>(-exponent - 1), '0');
    out += digits;
    return;
  }
  const size_t whole = static_cast<size_t>(exponent) + 1;
  out += std::string_view(digits).substr(0, whole);
  if (digits.size() < whole) {
    out.append(whole - digits.size(), '0');
  } else if (digits.size() > whole) {
    out += '.';
    out += std::string_view(digits).substr(whole);
  }
}

void append_quoted(std::string& out, std::string_view text) {
  constexpr std::string_view kShort = "\"\\\b\f\n\r\t";
  constexpr std::string_view kLetters = "\"\\bfnrt";
  out += '"';
  while (!text.empty()) {
    const char c = text.front();
    const size_t size = utf8_sequence(text);
    const std::string_view sequence = text.substr(0, std::max<size_t>(size, 1));
    if (const size_t at = kShort.find(c); at != std::string_view::npos) {
      out += '\\';
      out += kLetters[at];
    } else if (static_cast<uint8_t>(c) < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    } else if (size == 0) {
      out += "\\ufffd";
    } else if (sequence == "\u2028" || sequence == "\u2029") {
      out += sequence == "\u2028" ? "\\u2028" : "\\u2029";
    } else {
      out += sequence;
    }
    text.remove_prefix(sequence.size());
  }
  out += '"';
}

// Writes arrays and maps as JSON without recursion: a peer nests them as deep as it likes.
class Nested {
 public:
  explicit Nested(std::string& out) : out_(out) {}

  void write(const AnyValueView& value) {
    put(value);
    while (!open_.empty()) {
      Open& open = open_.back();
      if (open.is_map ? open.next_pair == open.end_pair : !open.take_element()) {
        out_ += open.is_map ? '}' : ']';
        if (open.is_map) pairs_.resize(open.begin_pair);
        open_.pop_back();
        continue;
      }
      if (std::exchange(open.comma, true)) out_ += ',';
      if (open.is_map) {
        const Pair& pair = pairs_[open.next_pair++];
        append_quoted(out_, pair.key);
        out_ += ':';
        put(AnyValueView(pair.value));
      } else {
        put(AnyValueView(open.element));
      }
    }
  }

 private:
  struct Pair {
    std::string_view key;
    std::string_view value;  // The body of an AnyValue.
  };
  // An array that is being written, or a map with its pairs in pairs_.
  struct Open {
    std::string_view rest;
    std::string_view element;
    size_t begin_pair = 0, next_pair = 0, end_pair = 0;
    bool is_map = false;
    bool comma = false;

    bool take_element() {
      proto::Reader reader(rest);
      proto::Field field;
      while (reader.next(field)) {
        if (field.number != otlp::list::kValues || field.type != proto::Type::Bytes) continue;
        element = field.bytes;
        rest.remove_prefix(static_cast<size_t>(reader.position() - rest.data()));
        return true;
      }
      return false;
    }
  };

  void put(const AnyValueView& value) {
    switch (value.kind()) {
      case Kind::Empty:
        out_ += "null";
        return;
      case Kind::String:
        return append_quoted(out_, value.bytes());
      case Kind::Bytes:
        // The Collector has no bytes of size 0: they are its null.
        if (value.bytes().empty())
          out_ += "null";
        else
          append_quoted(out_, encode_base64(value.bytes()));
        return;
      case Kind::Double:
        if (std::isfinite(value.as_double())) return append_double(out_, value.as_double());
        out_ += '"';
        append_double(out_, value.as_double());
        out_ += '"';
        return;
      case Kind::Bool:
      case Kind::Int:
        return append_collector_text(out_, value);
      case Kind::Array:
        out_ += '[';
        open_.push_back({.rest = value.bytes()});
        return;
      case Kind::Map:
        out_ += '{';
        return put_map(value.bytes());
    }
  }

  void put_map(std::string_view body) {
    const size_t begin = pairs_.size();
    proto::Reader reader(body);
    proto::Field field;
    while (reader.next(field)) {
      if (field.number != otlp::list::kValues || field.type != proto::Type::Bytes) continue;
      Pair& pair = pairs_.emplace_back();
      proto::Reader parts(field.bytes);
      proto::Field part;
      while (parts.next(part)) {
        if (part.type != proto::Type::Bytes) continue;
        if (part.number == otlp::key_value::kKey) pair.key = part.bytes;
        if (part.number == otlp::key_value::kValue) pair.value = part.bytes;
      }
    }
    std::stable_sort(pairs_.begin() + static_cast<ptrdiff_t>(begin), pairs_.end(),
                     [](const Pair& a, const Pair& b) { return a.key < b.key; });
    open_.push_back(
        {.begin_pair = begin, .next_pair = begin, .end_pair = pairs_.size(), .is_map = true});
  }

  std::string& out_;
  std::vector<Open> open_;
  std::vector<Pair> pairs_;
};

}  // namespace

void append_collector_text(std::string& out, const AnyValueView& value) {
  switch (value.kind()) {
    case Kind::Empty:
      return;
    case Kind::String:
      out += value.bytes();
      return;
    case Kind::Bool:
      out += value.as_bool() ? "true" : "false";
      return;
    case Kind::Int:
      fmt::format_to(std::back_inserter(out), "{}", value.as_int());
      return;
    case Kind::Double:
      return append_double(out, value.as_double());
    case Kind::Bytes:
      out += encode_base64(value.bytes());
      return;
    case Kind::Array:
    case Kind::Map:
      return Nested(out).write(value);
  }
}

std::string collector_text(const AnyValueView& value) {
  std::string out;
  append_collector_text(out, value);
  return out;
}

}  // namespace sonde
