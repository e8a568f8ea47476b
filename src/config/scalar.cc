// SPDX-License-Identifier: Apache-2.0
#include "config/scalar.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace sonde::config {
namespace {

bool one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  for (const std::string_view word : words) {
    if (text == word) return true;
  }
  return false;
}

bool parse_integer(std::string_view text, int64_t& out) {
  int base = 10;
  if (text.starts_with("0x")) {
    base = 16;
  } else if (text.starts_with("0o")) {
    base = 8;
  }
  if (base != 10) {
    text.remove_prefix(2);
    if (text.starts_with('-')) return false;
  } else if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return false;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

bool parse_number(std::string_view text, double& out) {
  if (text.starts_with('+')) text.remove_prefix(1);
  // from_chars also takes "inf" and "nan", which YAML writes with a leading dot.
  if (text.empty() || text.find_first_not_of("0123456789.eE+-") != std::string_view::npos) {
    return false;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

bool is_name(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter && !(c >= '0' && c <= '9') && c != '_') return false;
  }
  return true;
}

std::optional<std::string> look_up(const Environment& environment, std::string_view name) {
  if (environment) return environment(name);
  const char* value = std::getenv(std::string(name).c_str());
  return value ? std::optional<std::string>(value) : std::nullopt;
}

}  // namespace

void resolve_plain(Value& value) {
  const std::string_view text = value.text;
  if (one_of(text, {"", "~", "null", "Null", "NULL"})) {
    value.type = Value::Type::Null;
  } else if (one_of(text, {"true", "True", "TRUE"})) {
    value.type = Value::Type::Bool;
    value.boolean = true;
  } else if (one_of(text, {"false", "False", "FALSE"})) {
    value.type = Value::Type::Bool;
  } else if (parse_integer(text, value.integer)) {
    value.type = Value::Type::Int;
    value.number = static_cast<double>(value.integer);
  } else if (parse_number(text, value.number)) {
    value.type = Value::Type::Double;
  } else if (one_of(text, {".inf", ".Inf", ".INF", "+.inf"})) {
    value.type = Value::Type::Double;
    value.number = std::numeric_limits<double>::infinity();
  } else if (one_of(text, {"-.inf", "-.Inf", "-.INF"})) {
    value.type = Value::Type::Double;
    value.number = -std::numeric_limits<double>::infinity();
  } else {
    value.type = Value::Type::String;
  }
}

Result<std::string> expand(std::string_view text, const Environment& environment, bool& expanded) {
  expanded = false;
  std::string out;
  while (!text.empty()) {
    const size_t dollar = text.find('$');
    out += text.substr(0, dollar);
    if (dollar == std::string_view::npos) break;
    text.remove_prefix(dollar);
    if (text.starts_with("$$")) {
      out += '$';
      text.remove_prefix(2);
      continue;
    }
    if (!text.starts_with("${")) {
      out += '$';
      text.remove_prefix(1);
      continue;
    }
    const size_t close = text.find('}');
    if (close == std::string_view::npos) {
      return fail(ErrorKind::Invalid, "\"${\" has no closing \"}\"; write \"$${\" for the text");
    }
    std::string_view inner = text.substr(2, close - 2);
    text.remove_prefix(close + 1);
    std::optional<std::string> fallback;
    if (const size_t at = inner.find(":-"); at != std::string_view::npos) {
      fallback = inner.substr(at + 2);
      inner = inner.substr(0, at);
    }
    const std::string_view name = inner.starts_with("env:") ? inner.substr(4) : inner;
    if (!is_name(name)) {
      return fail(ErrorKind::Invalid, "\"${" + std::string(inner) +
                                          "}\" is not an environment variable; write ${env:NAME}");
    }
    std::optional<std::string> found = look_up(environment, name);
    // As the shell and the Collector have it, the default also stands in for an empty variable.
    if (fallback && (!found || found->empty())) found = std::move(fallback);
    if (!found) {
      return fail(ErrorKind::Invalid,
                  "environment variable " + std::string(name) +
                      " is not set; set it, or write ${env:" + std::string(name) + ":-default}");
    }
    out += *found;
    expanded = true;
  }
  return out;
}

}  // namespace sonde::config
