// SPDX-License-Identifier: Apache-2.0
// Regular expressions of users: RE2's syntax, which is that of Go's regexp package and so of the
// Collector, in time linear in the text whatever the pattern. A Regex is immutable and may be used
// by several threads at once. The library stays behind this header.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sonde {

class Regex {
 public:
  // An error (Invalid) names the pattern and what is wrong with it.
  static Result<Regex> compile(std::string_view pattern);
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;
  ~Regex();

  // Whether it matches anywhere in the text.
  bool matches(std::string_view text) const;
  // The first match: the whole of it, then its groups. A group that took no part is a view without
  // data. False, and nothing written, where there is no match. `groups` holds at most
  // group_count() + 1 views.
  bool find(std::string_view text, std::span<std::string_view> groups) const;
  // Replaces each match, as Go's ReplaceAllStringFunc does: an empty match right behind another
  // match is none. False, and `out` is left alone, where nothing matches.
  using Put = std::function<void(std::string& out, std::string_view match)>;
  bool replace_all(std::string_view text, const Put& put, std::string& out) const;

  size_t group_count() const { return names_.size(); }
  // By group, the first being the one after the whole match; empty where it has no name.
  const std::vector<std::string>& group_names() const { return names_; }

 private:
  struct Compiled;
  Regex(std::unique_ptr<Compiled> compiled, std::vector<std::string> names);

  std::unique_ptr<Compiled> compiled_;
  std::vector<std::string> names_;
};

}  // namespace sonde
