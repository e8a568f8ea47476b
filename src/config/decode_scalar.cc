// SPDX-License-Identifier: Apache-2.0
//
// Single values: which forms of YAML a setting of each type takes, as the Collector does.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/ascii.h"
#include "base/log.h"
#include "config/internal/slot.h"

namespace sonde::config {
namespace {

std::string number_text(double number) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
  return std::string(buffer, end);
}

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> words;
  while (true) {
    const size_t bar = text.find('|');
    words.push_back(text.substr(0, bar));
    if (bar == std::string_view::npos) return words;
    text.remove_prefix(bar + 1);
  }
}

Result<> check_range(const Slot& slot, const Value& value, double number) {
  const FieldOptions& options = slot.options;
  // Written so that a value that is not a number is refused where there is any bound.
  if (number >= options.min && number <= options.max) return {};
  const bool time = slot.ops.shape == Shape::Duration;
  const std::string unit = time ? "s" : options.unit.empty() ? "" : " " + std::string(options.unit);
  std::string wanted;
  if (std::isfinite(options.min) && std::isfinite(options.max)) {
    wanted = "between " + number_text(options.min) + " and " + number_text(options.max) + unit;
  } else if (std::isfinite(options.min)) {
    wanted = "at least " + number_text(options.min) + unit;
  } else if (std::isfinite(options.max)) {
    wanted = "at most " + number_text(options.max) + unit;
  } else {
    return {};
  }
  return slot.fail(value, "must be " + wanted + (options.secret ? "" : ", is " + value.text));
}

template <class T>
Result<> store_integer(const Slot& slot, const Value& value, int64_t number) {
  const bool fits =
      value.above_int64 ? sizeof(T) == 8 && !std::is_signed_v<T> : std::in_range<T>(number);
  if (!fits) {
    return slot.fail(value, (slot.options.secret ? "the number" : value.text) + " is out of range");
  }
  *static_cast<T*>(slot.out) = static_cast<T>(number);
  return {};
}

Result<> decode_integer(const Slot& slot, const Value& value) {
  int64_t number = value.integer;
  if (value.type == Value::Type::String && slot.options.unit == "By") {
    auto size = parse_bytes(value.text);
    if (!size) return slot.fail(value, size.error().message);
    number = static_cast<int64_t>(*size);
  } else if (value.type == Value::Type::Double && std::abs(value.number) < 9.2e18) {
    // The Collector cuts a fraction off, so a file that it takes is taken here.
    number = static_cast<int64_t>(value.number);
    if (static_cast<double>(number) != value.number && !slot.options.secret) {
      log_warn("{}: {}: {} is cut to {}", value.position.to_string(), slot.path, value.text,
               number);
    }
  } else if (value.type != Value::Type::Int) {
    return slot.wrong_type(value, "an integer");
  }
  TRY(check_range(slot, value, value.above_int64 ? value.number : static_cast<double>(number)));
  switch (slot.ops.size * 2 + (slot.ops.is_signed ? 1 : 0)) {
    case 2:
      return store_integer<uint8_t>(slot, value, number);
    case 3:
      return store_integer<int8_t>(slot, value, number);
    case 4:
      return store_integer<uint16_t>(slot, value, number);
    case 5:
      return store_integer<int16_t>(slot, value, number);
    case 8:
      return store_integer<uint32_t>(slot, value, number);
    case 9:
      return store_integer<int32_t>(slot, value, number);
    case 16:
      return store_integer<uint64_t>(slot, value, number);
    default:
      return store_integer<int64_t>(slot, value, number);
  }
}

Result<> decode_string(const Slot& slot, const Value& value) {
  // What stands for an expansion has its original text, so "0123" stays what it is. A number that
  // was written as one is refused, as by the Collector, since 010 and 1.10 would not survive.
  if (value.type != Value::Type::String && !value.expanded) {
    return slot.wrong_type(value, value.is_scalar() ? "a string in quotes" : "a string");
  }
  if (!slot.options.choices.empty()) {
    const auto choices = split(slot.options.choices);
    const auto same = [&](std::string_view choice) {
      return slot.options.any_case ? equals_ignoring_case(choice, value.text)
                                   : choice == value.text;
    };
    const auto chosen = std::ranges::find_if(choices, same);
    if (chosen == choices.end()) {
      return slot.fail(
          value, "must be one of " + listed(slot.options.choices) + ", is " + quoted(value.text));
    }
    *static_cast<std::string*>(slot.out) = *chosen;
    return {};
  }
  if (slot.options.extension && value.text.empty()) {
    return slot.fail(value, "the id of an extension must not be empty; leave it out");
  }
  *static_cast<std::string*>(slot.out) = value.text;
  return {};
}

Result<> decode_duration(const Slot& slot, const Value& value) {
  Result<Duration> duration;
  if (value.type == Value::Type::Int && !value.above_int64) {
    duration = Duration(value.integer);
  } else if (value.type == Value::Type::Double && std::abs(value.number) < 9.2e18) {
    duration = Duration(static_cast<int64_t>(value.number));
  } else if (value.type == Value::Type::String) {
    duration = parse_duration(value.text);
  } else {
    return slot.wrong_type(value, "a duration such as 5s");
  }
  if (!duration) return slot.fail(value, duration.error().message);
  TRY(check_range(slot, value, static_cast<double>(duration->count()) / 1e9));
  *static_cast<Duration*>(slot.out) = *duration;
  return {};
}

}  // namespace

std::string listed(std::string_view choices) {
  std::string list;
  for (const auto choice : split(choices)) {
    list += (list.empty() ? "" : ", ") + std::string(choice);
  }
  return list;
}

Result<> decode_scalar(const Slot& slot, const Value& value) {
  switch (slot.ops.shape) {
    case Shape::Bool:
      if (value.type != Value::Type::Bool) return slot.wrong_type(value, "true or false");
      *static_cast<bool*>(slot.out) = value.boolean;
      return {};
    case Shape::Integer:
      return decode_integer(slot, value);
    case Shape::Double:
      if (value.type != Value::Type::Int && value.type != Value::Type::Double) {
        return slot.wrong_type(value, "a number");
      }
      TRY(check_range(slot, value, value.number));
      *static_cast<double*>(slot.out) = value.number;
      return {};
    case Shape::String:
      return decode_string(slot, value);
    case Shape::Duration:
      return decode_duration(slot, value);
    default:
      *static_cast<Value*>(slot.out) = value;
      return {};
  }
}

}  // namespace sonde::config
