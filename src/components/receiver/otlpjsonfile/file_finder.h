// SPDX-License-Identifier: Apache-2.0
// Which files are to be read: those that the patterns find, that are young enough, and that stand
// first in the order that was asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/regex.h"
#include "base/result.h"
#include "components/receiver/otlpjsonfile/path_pattern.h"
#include "components/receiver/otlpjsonfile/settings.h"

namespace sonde::otlpjsonfile {

class FileFinder {
 public:
  // An error (Invalid) says which setting is wrong.
  static Result<FileFinder> make(const Settings& settings);

  // The paths, ordered by name but where an order was asked for. At most PathPattern::kMostFiles;
  // that there are more is said in the log, once. It blocks as long as the file system does.
  std::vector<std::string> find(int64_t unix_ns, std::string_view receiver);

 private:
  struct Rule {
    enum Type : uint8_t { Numeric, Alphabetical, Timestamp } type = Numeric;
    size_t group = 0;  // Of regex_, the whole match being the first; 0: no such group.
    bool ascending = false;
    std::string layout = {};
  };
  Result<> add_order(const OrderingCriteria& criteria);
  Result<Rule> make_rule(const SortRule& rule) const;
  std::vector<std::string> first_of(const std::vector<std::string>& paths) const;

  std::vector<PathPattern> include_;
  std::vector<PathPattern> exclude_;
  Duration exclude_older_than_{};
  std::optional<Regex> group_by_;
  std::optional<Regex> regex_;
  std::vector<Rule> rules_;
  size_t top_n_ = 0;
  bool told_too_many_ = false;
};

}  // namespace sonde::otlpjsonfile
