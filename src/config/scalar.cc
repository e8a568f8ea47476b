// SPDX-License-Identifier: Apache-2.0
#include "config/scalar.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/ascii.h"
#include "base/base64.h"

namespace sonde::config {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

bool one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, text) != words.end();
}

// [-+]? (.5 | 5 | 5. | 5.5) ([eE][-+]?5)?
bool is_float_text(std::string_view text) {
  const auto digits = [&] {
    size_t count = 0;
    while (!text.empty() && is_digit(text[0])) {
      text.remove_prefix(1);
      ++count;
    }
    return count;
  };
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  const size_t whole = digits();
  size_t part = 0;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    part = digits();
  }
  if (whole + part == 0) return false;
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
    if (digits() == 0) return false;
  }
  return text.empty();
}

bool parse_float(std::string_view text, double& out) {
  if (!is_float_text(text)) return false;
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

void set_integer(Value& value, int64_t integer, bool above) {
  value.type = Value::Type::Int;
  value.integer = integer;
  value.above_int64 = above;
  value.number =
      above ? static_cast<double>(static_cast<uint64_t>(integer)) : static_cast<double>(integer);
}

void resolve_number(Value& value, std::string_view text) {
  if (auto time = parse_timestamp(text)) {
    value.type = Value::Type::Time;
    value.integer = *time;
    return;
  }
  std::string plain(text);
  std::erase(plain, '_');
  if (auto integer = parse_go_integer(plain)) {
    set_integer(value, integer->first, integer->second);
  } else if (parse_float(plain, value.number)) {
    value.type = Value::Type::Double;
  }
}

}  // namespace

std::optional<std::pair<int64_t, bool>> parse_go_integer(std::string_view text) {
  const bool negative = text.starts_with('-');
  const bool sign = negative || text.starts_with('+');
  if (sign) text.remove_prefix(1);
  int base = 10;
  if (text.size() > 1 && text[0] == '0') {
    const char mark = static_cast<char>(text[1] | 0x20);
    base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
    text.remove_prefix(base != 8 || mark == 'o' ? 2 : 1);
  }
  uint64_t magnitude = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), magnitude, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return {};
  constexpr auto kTop = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (negative) {
    if (magnitude > kTop + 1) return {};
    return std::pair(static_cast<int64_t>(0 - magnitude), false);
  }
  // Go reads what is above an int64 as unsigned, and then takes no sign.
  if (magnitude > kTop && sign) return {};
  return std::pair(static_cast<int64_t>(magnitude), magnitude > kTop);
}

void resolve_plain(Value& value) {
  const std::string_view text = value.text;
  value.type = Value::Type::String;
  if (one_of(text, {"", "~", "null", "Null", "NULL"})) {
    value.type = Value::Type::Null;
  } else if (one_of(text, {"true", "True", "TRUE"})) {
    value.type = Value::Type::Bool;
    value.boolean = true;
  } else if (one_of(text, {"false", "False", "FALSE"})) {
    value.type = Value::Type::Bool;
  } else if (one_of(text, {".nan", ".NaN", ".NAN"})) {
    value.type = Value::Type::Double;
    value.number = std::numeric_limits<double>::quiet_NaN();
  } else if (one_of(text, {".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"})) {
    value.type = Value::Type::Double;
    value.number = kInfinity;
  } else if (one_of(text, {"-.inf", "-.Inf", "-.INF"})) {
    value.type = Value::Type::Double;
    value.number = -kInfinity;
  } else if (text[0] == '.') {
    // Go's own syntax here, where underscores do not count.
    if (parse_float(text, value.number)) value.type = Value::Type::Double;
  } else if (is_digit(text[0]) || text[0] == '-' || text[0] == '+') {
    resolve_number(value, text);
  }
}

Result<> resolve_tagged(Value& value, std::string_view tag) {
  constexpr std::string_view kPrefix = "tag:yaml.org,2002:";
  value.type = Value::Type::String;
  if (!tag.starts_with(kPrefix)) return {};
  tag.remove_prefix(kPrefix.size());
  if (tag == "str") return {};
  if (tag == "binary") {
    auto bytes = decode_base64(value.text);
    if (!bytes) return fail(ErrorKind::Invalid, "!!binary is followed by no base64");
    value.text = std::move(*bytes);
    return {};
  }
  if (!one_of(tag, {"bool", "int", "float", "null", "timestamp"})) return {};
  resolve_plain(value);
  using Type = Value::Type;
  if (tag == "float" && value.type == Type::Int) value.type = Type::Double;
  const Type wanted = tag == "bool"    ? Type::Bool
                      : tag == "int"   ? Type::Int
                      : tag == "float" ? Type::Double
                      : tag == "null"  ? Type::Null
                                       : Type::Time;
  if (value.type == wanted) return {};
  return fail(ErrorKind::Invalid, "this is not what its tag !!" + std::string(tag) + " says");
}

}  // namespace sonde::config
