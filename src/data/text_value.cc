// SPDX-License-Identifier: Apache-2.0
#include "data/text_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "base/ascii.h"
#include "base/hex.h"

namespace sonde::text {
namespace {

bool plain(char c) { return is_alphanumeric(c) || c == '_' || c == '.' || c == '-' || c == '/'; }

struct Unit {
  std::string_view name;
  uint64_t ns;
};
constexpr Unit kUnits[] = {{"s", 1'000'000'000}, {"ms", 1'000'000}, {"us", 1'000}, {"ns", 1}};

template <class T>
bool parse_number(std::string_view text, T& out) {
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, out);
  return error == std::errc() && at == end && !text.empty();
}

}  // namespace

void put_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\r':
        out += "\\r";
        break;
      default:
        // UTF-8 stays readable; only control bytes are spelled out.
        if (static_cast<uint8_t>(c) < 0x20 || c == 0x7f) {
          out += "\\x";
          append_hex(out, {&c, 1});
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

void put_double(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "nan";
    return;
  }
  const size_t begin = out.size();
  fmt::format_to(std::back_inserter(out), "{}", value);
  if (std::string_view(out).substr(begin).find_first_of(".ein") == std::string_view::npos)
    out += ".0";
}

void put_time(std::string& out, uint64_t ns) {
  for (const Unit& unit : kUnits) {
    if (ns % unit.ns != 0) continue;
    fmt::format_to(std::back_inserter(out), "{}{}", ns / unit.ns, unit.name);
    return;
  }
}

void put_key(std::string& out, std::string_view key) {
  if (!key.empty() && std::ranges::all_of(key, plain))
    out += key;
  else
    put_quoted(out, key);
}

void put_value(std::string& out, const AnyValueView& value, int depth) {
  using Kind = AnyValueView::Kind;
  if (depth > kMaxDepth) {
    out += "null";
    return;
  }
  const char* separator = "";
  switch (value.kind()) {
    case Kind::Empty:
      out += "null";
      break;
    case Kind::String:
      put_quoted(out, value.bytes());
      break;
    case Kind::Bool:
      out += value.as_bool() ? "true" : "false";
      break;
    case Kind::Int:
      fmt::format_to(std::back_inserter(out), "{}", value.as_int());
      break;
    case Kind::Double:
      put_double(out, value.as_double());
      break;
    case Kind::Bytes:
      out += "0x";
      append_hex(out, value.bytes());
      break;
    case Kind::Array:
      out += '[';
      for (const AnyValueView& element : elements(value)) {
        out += std::exchange(separator, ", ");
        put_value(out, element, depth + 1);
      }
      out += ']';
      break;
    case Kind::Map:
      out += '{';
      for (const KeyValueView& pair : pairs(value)) {
        out += std::exchange(separator, ", ");
        put_key(out, pair.key);
        out += " = ";
        put_value(out, pair.value, depth + 1);
      }
      out += '}';
      break;
  }
}

bool valid_value(std::string_view message, int depth) {
  if (depth > kMaxDepth) return false;
  proto::Reader reader(message);
  proto::Field field;
  while (reader.next(field)) {
    namespace f = otlp::any_value;
    if (field.type != proto::Type::Bytes) continue;
    if (field.number != f::kArray && field.number != f::kMap) continue;
    proto::Reader values(field.bytes);
    proto::Field value;
    while (values.next(value)) {
      if (value.type != proto::Type::Bytes || value.number != otlp::list::kValues) continue;
      if (field.number == f::kArray ? !valid_value(value.bytes, depth + 1)
                                    : !valid_key_value(value.bytes, depth + 1))
        return false;
    }
    if (!values.ok()) return false;
  }
  return reader.ok();
}

bool valid_key_value(std::string_view message, int depth) {
  proto::Reader reader(message);
  proto::Field field;
  while (reader.next(field))
    if (field.type == proto::Type::Bytes && field.number == otlp::key_value::kValue &&
        !valid_value(field.bytes, depth))
      return false;
  return reader.ok();
}

void Cursor::skip_spaces() {
  const size_t at = rest.find_first_not_of(" \t");
  rest = at == std::string_view::npos ? std::string_view() : rest.substr(at);
}

bool Cursor::take(char c) {
  skip_spaces();
  if (!rest.starts_with(c)) return false;
  rest.remove_prefix(1);
  return true;
}

bool Cursor::fail(std::string_view why) {
  if (error.empty()) error = why;
  return false;
}

bool Cursor::end() {
  skip_spaces();
  return rest.empty() || fail(fmt::format("unexpected `{}`", rest));
}

std::string_view Cursor::word() {
  skip_spaces();
  const size_t size = std::min(rest.find_first_of(" \t,]}="), rest.size());
  const std::string_view out = rest.substr(0, size);
  rest.remove_prefix(size);
  return out;
}

bool Cursor::quoted(std::string& out) {
  if (!take('"')) return fail("expected a quoted string");
  while (!rest.empty()) {
    const char c = rest.front();
    rest.remove_prefix(1);
    if (c == '"') return true;
    if (c != '\\') {
      out += c;
      continue;
    }
    if (rest.empty()) break;
    const char escape = rest.front();
    rest.remove_prefix(1);
    switch (escape) {
      case 'n':
        out += '\n';
        break;
      case 't':
        out += '\t';
        break;
      case 'r':
        out += '\r';
        break;
      case '"':
      case '\\':
        out += escape;
        break;
      case 'x':
        if (rest.size() < 2 || !from_hex(rest.substr(0, 2), out))
          return fail("\\x needs two hexadecimal digits");
        rest.remove_prefix(2);
        break;
      default:
        return fail(fmt::format("unknown escape `\\{}`", escape));
    }
  }
  return fail("the string has no closing quote");
}

bool Cursor::key(std::string& out) {
  skip_spaces();
  if (rest.starts_with('"')) return quoted(out);
  size_t size = 0;
  while (size < rest.size() && plain(rest[size])) ++size;
  if (size == 0) return fail("expected a name or a quoted key");
  out.append(rest.substr(0, size));
  rest.remove_prefix(size);
  return true;
}

bool parse_uint(std::string_view text, uint64_t& out) { return parse_number(text, out); }
bool parse_int(std::string_view text, int64_t& out) { return parse_number(text, out); }
bool parse_double(std::string_view text, double& out) { return parse_number(text, out); }

bool parse_time(std::string_view text, uint64_t& ns) {
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (!parse_uint(text.substr(0, digits), ns)) return false;
  const std::string_view name = text.substr(digits);
  if (name.empty()) return true;
  for (const Unit& unit : kUnits)
    if (unit.name == name) return !__builtin_mul_overflow(ns, unit.ns, &ns);
  return false;
}

bool parse_value(Cursor& at, std::string& out, int depth) {
  namespace f = otlp::any_value;
  if (depth > kMaxDepth) return at.fail("values nest too deep");
  at.skip_spaces();
  proto::Writer writer(out);
  if (at.rest.starts_with('"')) {
    std::string text;
    if (!at.quoted(text)) return false;
    writer.bytes(f::kString, text);
    return true;
  }
  if (at.take('[')) {
    std::string list;
    while (!at.take(']')) {
      std::string element;
      if (!list.empty() && !at.take(',')) return at.fail("expected `,` or `]`");
      if (!parse_value(at, element, depth + 1)) return false;
      proto::Writer(list).bytes(otlp::list::kValues, element);
    }
    writer.bytes(f::kArray, list);
    return true;
  }
  if (at.take('{')) {
    std::string list;
    while (!at.take('}')) {
      std::string key;
      std::string value;
      if (!list.empty() && !at.take(',')) return at.fail("expected `,` or `}`");
      if (!at.key(key)) return false;
      if (!at.take('=')) return at.fail("expected `=` after a key");
      if (!parse_value(at, value, depth + 1)) return false;
      proto::Writer(list).nested(otlp::list::kValues, [&] {
        proto::Writer(list).bytes(otlp::key_value::kKey, key);
        proto::Writer(list).bytes(otlp::key_value::kValue, value);
      });
    }
    writer.bytes(f::kMap, list);
    return true;
  }
  const std::string_view word = at.word();
  if (word == "null") return true;
  if (word == "true" || word == "false") {
    writer.varint(f::kBool, word == "true" ? 1 : 0);
    return true;
  }
  if (word.starts_with("0x")) {
    std::string bytes;
    if (!from_hex(word.substr(2), bytes)) return at.fail("0x needs pairs of hexadecimal digits");
    writer.bytes(f::kBytes, bytes);
    return true;
  }
  if (int64_t number = 0; parse_int(word, number)) {
    writer.varint(f::kInt, static_cast<uint64_t>(number));
    return true;
  }
  if (double number = 0; parse_double(word, number)) {
    writer.float64(f::kDouble, number);
    return true;
  }
  return at.fail(fmt::format("`{}` is no value; a string needs quotes", word));
}

}  // namespace sonde::text
