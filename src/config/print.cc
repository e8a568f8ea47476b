// SPDX-License-Identifier: Apache-2.0
#include "config/print.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/ascii.h"
#include "base/json_writer.h"
#include "config/scalar.h"

namespace sonde::config {
namespace {

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

// Only words that no reader of YAML, old or new, takes for something else stay without quotes.
std::string yaml_string(std::string_view text) {
  constexpr std::string_view kOlderBooleans[] = {"y", "n", "yes", "no", "on", "off"};
  const std::string small = lower(text);
  const auto safe = [](char c) {
    return is_alphanumeric(c) || std::string_view("_./:@-").find(c) != std::string_view::npos;
  };
  Value plain = Value::string(text);
  if (!text.empty()) resolve_plain(plain);
  const bool bare = !text.empty() && text[0] != '-' && text[0] != ':' && text[0] != '@' &&
                    text.back() != ':' && std::ranges::all_of(text, safe) &&
                    plain.type == Value::Type::String &&
                    std::ranges::find(kOlderBooleans, small) == std::end(kOlderBooleans);
  return bare ? std::string(text) : json_string(text);
}

std::string number_text(double number) {
  if (std::isnan(number)) return ".nan";
  if (std::isinf(number)) return number > 0 ? ".inf" : "-.inf";
  char buffer[40];
  return std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, number).ptr);
}

std::string integer_text(const Value& value) {
  return value.above_int64 ? std::to_string(static_cast<uint64_t>(value.integer))
                           : std::to_string(value.integer);
}

std::string scalar_text(const Value& value, bool json) {
  switch (value.type) {
    case Value::Type::Null:
      return "null";
    case Value::Type::Bool:
      return value.boolean ? "true" : "false";
    case Value::Type::Int:
      return integer_text(value);
    case Value::Type::Double:
      return json && !std::isfinite(value.number) ? json_string(number_text(value.number))
                                                  : number_text(value.number);
    case Value::Type::Time: {
      const std::string text = format_timestamp(value.integer);
      return json ? json_string(text) : text;
    }
    default:
      return json ? json_string(value.text) : yaml_string(value.text);
  }
}

bool is_block(const Value& value) {
  return (value.is_map() && !value.entries.empty()) || (value.is_list() && !value.items.empty());
}

std::string inline_text(const Value& value) {
  return value.is_map() ? "{}" : value.is_list() ? "[]" : scalar_text(value, false);
}

void write_yaml(const Value& value, size_t indent, std::string& out) {
  const std::string space(indent, ' ');
  for (const Entry& entry : value.entries) {
    out += space + yaml_string(entry.key) + ":";
    if (is_block(entry.value)) {
      out += "\n";
      write_yaml(entry.value, indent + 2, out);
    } else {
      out += " " + inline_text(entry.value) + "\n";
    }
  }
  for (const Value& item : value.items) {
    if (!is_block(item)) {
      out += space + "- " + inline_text(item) + "\n";
      continue;
    }
    // The dash takes the place of the first line's indentation.
    const size_t start = out.size();
    write_yaml(item, indent + 2, out);
    out[start + indent] = '-';
  }
}

void write_json(const Value& value, size_t indent, std::string& out) {
  if (value.is_scalar()) {
    out += scalar_text(value, true);
    return;
  }
  const std::string inner(indent + 2, ' ');
  const bool map = value.is_map();
  out += map ? "{" : "[";
  bool first = true;
  const auto separate = [&] {
    out += first ? "\n" : ",\n";
    out += inner;
    first = false;
  };
  for (const Entry& entry : value.entries) {
    separate();
    out += json_string(entry.key) + ": ";
    write_json(entry.value, indent + 2, out);
  }
  for (const Value& item : value.items) {
    separate();
    write_json(item, indent + 2, out);
  }
  if (!first) out += "\n" + std::string(indent, ' ');
  out += map ? "}" : "]";
}

}  // namespace

std::string to_yaml(const Value& value) {
  if (!is_block(value)) return inline_text(value) + "\n";
  std::string out;
  write_yaml(value, 0, out);
  return out;
}

std::string to_json(const Value& value) {
  std::string out;
  write_json(value, 0, out);
  return out + "\n";
}

}  // namespace sonde::config
