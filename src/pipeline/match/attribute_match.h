// SPDX-License-Identifier: Apache-2.0
// A list of attributes that must all be there, and have a certain value where one is told. Strict
// compares type and value; a regular expression is matched against the text of a scalar.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/regex.h"
#include "config/field.h"
#include "data/message_edit.h"

namespace sonde::pipeline {

struct AttributeMatch {
  std::string key;
  config::Value value;  // Null: any.
};

inline constexpr auto kAttributeMatchFields = config::fields<AttributeMatch>(
    config::field("key", &AttributeMatch::key, "The name of the attribute."),
    config::field("value", &AttributeMatch::value, "What it must be; any value where absent."));

class AttributesMatcher {
 public:
  AttributesMatcher() = default;
  static Result<AttributesMatcher> make(std::span<const AttributeMatch> list,
                                        std::string_view match_type);
  bool empty() const { return entries_.empty(); }
  // True for an empty list.
  bool matches(MessageEdit& message);

 private:
  struct Entry {
    std::string key;
    std::optional<std::string> value;  // The bytes of an AnyValue.
    std::optional<Regex> pattern;
  };
  std::vector<Entry> entries_;
  std::string scratch_;
};

}  // namespace sonde::pipeline
