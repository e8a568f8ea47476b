// SPDX-License-Identifier: Apache-2.0
#include "pipeline/match/attribute_match.h"

#include "pipeline/match/setting_value.h"
#include "pipeline/match/text_filter.h"

namespace sonde::pipeline {

Result<AttributesMatcher> AttributesMatcher::make(std::span<const AttributeMatch> list,
                                                  std::string_view match_type) {
  AttributesMatcher matcher;
  for (const AttributeMatch& attribute : list) {
    if (attribute.key.empty()) return fail(ErrorKind::Invalid, "an attribute has no key");
    Entry entry{attribute.key, {}, {}};
    if (!attribute.value.is_null()) {
      if (!TRY(is_regexp(match_type))) {
        entry.value = TRY(any_value_of(attribute.value));
      } else if (attribute.value.type == config::Value::Type::String) {
        entry.pattern = TRY(Regex::compile(attribute.value.text));
      } else {
        return fail(ErrorKind::Invalid, "attribute \"" + attribute.key +
                                            "\": with match_type regexp its value must be text");
      }
    }
    matcher.entries_.push_back(std::move(entry));
  }
  return matcher;
}

bool AttributesMatcher::matches(MessageEdit& message) {
  for (const Entry& entry : entries_) {
    const auto value = message.get(entry.key);
    if (!value) return false;
    if (entry.value && !same_value(AnyValueView(*entry.value), *value)) return false;
    if (!entry.pattern) continue;
    std::string_view text;
    if (!scalar_text(*value, scratch_, text) || !entry.pattern->matches(text)) return false;
  }
  return true;
}

}  // namespace sonde::pipeline
