// SPDX-License-Identifier: Apache-2.0
#include "pipeline/match/text_filter.h"

#include <algorithm>

namespace sonde::pipeline {

Result<bool> is_regexp(std::string_view match_type) {
  if (match_type == "regexp") return true;
  if (match_type == "strict") return false;
  return fail(ErrorKind::Invalid,
              "match_type: it is \"" + std::string(match_type) + "\" and must be strict or regexp");
}

Result<TextFilter> TextFilter::make(std::span<const std::string> texts,
                                    std::string_view match_type) {
  TextFilter filter;
  if (!TRY(is_regexp(match_type))) {
    filter.texts_.insert(texts.begin(), texts.end());
    return filter;
  }
  for (const std::string& text : texts) filter.patterns_.push_back(TRY(Regex::compile(text)));
  return filter;
}

bool TextFilter::matches(std::string_view text) const {
  return texts_.contains(text) ||
         std::ranges::any_of(patterns_, [&](const Regex& regex) { return regex.matches(text); });
}

}  // namespace sonde::pipeline
