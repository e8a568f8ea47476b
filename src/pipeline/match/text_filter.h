// SPDX-License-Identifier: Apache-2.0
// A list of texts of which one must be met: exactly (`strict`) or as a regular expression that
// matches anywhere (`regexp`). What the Collector calls a filter set.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/regex.h"
#include "base/result.h"

namespace sonde::pipeline {

class TextFilter {
 public:
  // An empty list matches nothing.
  static Result<TextFilter> make(std::span<const std::string> texts, std::string_view match_type);
  bool matches(std::string_view text) const;

 private:
  std::set<std::string, std::less<>> texts_;
  std::vector<Regex> patterns_;
};

// The error for anything but `strict` and `regexp`.
Result<bool> is_regexp(std::string_view match_type);

}  // namespace sonde::pipeline
