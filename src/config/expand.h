// SPDX-License-Identifier: Apache-2.0
//
// Replaces `${scheme:rest}` in the values of a tree, as the Collector does:
//
//  - `${NAME}` is `${env:NAME}`; innermost first, so `${env:${env:WHICH}}` works; `$$` is a dollar.
//  - Where the expansion is the whole value, what it stands for is read as YAML and keeps its type,
//    together with its original text for string settings (Value::expanded).
//  - Within a longer text it is a replacement of text. What comes out is expanded again.
//  - A text whose first expansion is escaped (`$${A} ${B}`) is left as it is. Keys are never
//  expanded.
//
// Passes, depth and size are bounded, so that a variable that names itself is an error.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/problems.h"
#include "config/providers.h"
#include "config/value.h"

namespace sonde::config {

// "file" and "a.yaml" of "file:a.yaml"; nothing where there is no scheme of two letters or more.
struct Location {
  std::string scheme;
  std::string rest;
};
Result<Location> parse_location(std::string_view uri);

class Expander {
 public:
  explicit Expander(const Providers& providers) : providers_(providers) {}

  // Goes on after an error, so that all are found.
  void expand(Value& value, Problems& problems);
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  Result<> expand_value(Value& value, Problems* problems, int depth);
  Result<> expand_text(Value& value, int depth);
  Result<> replace_whole(Value& value, const Retrieved& retrieved, std::string_view uri);
  Result<Retrieved> retrieve(std::string_view uri, const Position& position);
  Result<> spend(size_t bytes);
  static void unescape(Value& value);

  const Providers& providers_;
  std::vector<std::string> warnings_;
  std::set<std::string> warned_;
  std::string path_;  // Of the value at hand.
  int passes_ = 0;    // For it.
  size_t spent_ = 0;  // Bytes made by all expansions.
};

}  // namespace sonde::config
