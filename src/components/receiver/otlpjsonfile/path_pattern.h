// SPDX-License-Identifier: Apache-2.0
// Patterns of paths with the syntax of the Collector's (doublestar's): `*` and `?` within a name,
// `**` as a whole name for any number of directories, `[a-z]` and `[^a-z]`, `{this,that}`, and `\`
// before what shall mean itself.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sonde::otlpjsonfile {

class PathPattern {
 public:
  // At most so many alternatives come of the braces of one pattern, and so many files of find().
  static constexpr size_t kMostAlternatives = 1000;
  static constexpr size_t kMostFiles = 100'000;

  // An error (Invalid) names the pattern and what is wrong with it.
  static Result<PathPattern> parse(std::string_view pattern);

  bool matches(std::string_view path) const;
  // Adds what there is and is no directory. Symbolic links are followed, but never in a circle.
  // False when there are more than kMostFiles in `out`.
  bool find(std::set<std::string>& out) const;

 private:
  using Names = std::vector<std::string>;  // What lies between slashes; a first "" is the root.
  std::vector<Names> alternatives_;
};

}  // namespace sonde::otlpjsonfile
