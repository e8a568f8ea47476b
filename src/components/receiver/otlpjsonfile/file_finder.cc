// SPDX-License-Identifier: Apache-2.0
#include "components/receiver/otlpjsonfile/file_finder.h"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <set>

#include "base/log.h"
#include "components/receiver/otlpjsonfile/path_time.h"

namespace sonde::otlpjsonfile {
namespace {

Result<std::vector<PathPattern>> parse_all(const std::vector<std::string>& patterns,
                                           std::string_view setting) {
  std::vector<PathPattern> out;
  for (const std::string& text : patterns) {
    auto pattern = PathPattern::parse(text);
    if (!pattern) return std::unexpected(at(setting, std::move(pattern.error())));
    out.push_back(std::move(*pattern));
  }
  return out;
}

Result<Regex> compile(const std::string& pattern, std::string_view setting) {
  auto regex = Regex::compile(pattern);
  if (!regex) return std::unexpected(at(setting, std::move(regex.error())));
  return regex;
}

// As a host knows them; where it has no list of them, every name is taken.
bool known_location(const std::string& name) {
  static const std::filesystem::path zones = "/usr/share/zoneinfo";
  std::error_code error;
  if (name.empty() || name == "UTC" || name == "Local") return true;
  if (!std::filesystem::is_directory(zones, error)) return true;
  return !name.contains("..") && std::filesystem::is_regular_file(zones / name, error);
}

// What a path is compared by.
struct Key {
  int64_t number = 0;
  std::string_view text;
  friend auto operator<=>(const Key&, const Key&) = default;
};

}  // namespace

Result<FileFinder> FileFinder::make(const Settings& settings) {
  FileFinder out;
  out.include_ = TRY(parse_all(settings.include, "include"));
  out.exclude_ = TRY(parse_all(settings.exclude, "exclude"));
  out.exclude_older_than_ = settings.exclude_older_than;
  auto ordered = out.add_order(settings.ordering_criteria);
  if (!ordered) return std::unexpected(at("ordering_criteria", std::move(ordered.error())));
  return out;
}

Result<> FileFinder::add_order(const OrderingCriteria& criteria) {
  if (!criteria.group_by.empty()) group_by_ = TRY(compile(criteria.group_by, "group_by"));
  if (criteria.sort_by.empty()) return {};
  if (criteria.regex.empty())
    return fail(ErrorKind::Invalid, "regex: say which parts of a path sort_by means");
  regex_ = TRY(compile(criteria.regex, "regex"));
  for (const SortRule& rule : criteria.sort_by) {
    auto made = make_rule(rule);
    if (!made) return std::unexpected(at("sort_by", std::move(made.error())));
    rules_.push_back(std::move(*made));
  }
  top_n_ = std::max<size_t>(1, static_cast<size_t>(criteria.top_n));
  return {};
}

Result<FileFinder::Rule> FileFinder::make_rule(const SortRule& rule) const {
  if (rule.regex_key.empty())
    return fail(ErrorKind::Invalid, "regex_key: name a group of regex, (?P<name>...)");
  Rule out{.ascending = rule.ascending};
  const auto& names = regex_->group_names();
  const auto group = std::ranges::find(names, rule.regex_key);
  if (group != names.end()) {
    out.group = static_cast<size_t>(group - names.begin()) + 1;
  } else {
    return fail(ErrorKind::Invalid,
                "regex_key: regex has no group (?P<" + rule.regex_key + ">...)");
  }
  if (rule.sort_type == "alphabetical") out.type = Rule::Alphabetical;
  if (rule.sort_type != "timestamp") return out;
  out.type = Rule::Timestamp;
  if (rule.layout.empty())
    return fail(ErrorKind::Invalid, "layout: say how the time is written, like %Y-%m-%d");
  out.layout = TRY(spell_out_layout(rule.layout));
  if (!known_location(rule.location))
    return fail(ErrorKind::Invalid, "location: there is no time zone \"" + rule.location + "\"");
  return out;
}

std::vector<std::string> FileFinder::find(int64_t unix_ns, std::string_view receiver) {
  std::set<std::string> found;
  bool whole = true;
  for (const PathPattern& pattern : include_) whole = pattern.find(found) && whole;
  if (!whole && !std::exchange(told_too_many_, true)) {
    log_warn("{}: include finds more than {} files; the others are not read", receiver,
             PathPattern::kMostFiles);
  }
  std::vector<std::string> paths;
  for (const std::string& path : found) {
    if (std::ranges::any_of(exclude_, [&](const auto& one) { return one.matches(path); })) continue;
    struct stat status{};
    if (exclude_older_than_ > Duration{}) {
      if (::stat(path.c_str(), &status) != 0) continue;
      const int64_t written =
          status.st_mtim.tv_sec * int64_t{1'000'000'000} + status.st_mtim.tv_nsec;
      if (unix_ns - written > exclude_older_than_.count()) continue;
    }
    paths.push_back(path);
    if (paths.size() == PathPattern::kMostFiles) break;
  }
  if (rules_.empty()) return paths;
  if (!group_by_) return first_of(paths);
  std::map<std::string, std::vector<std::string>, std::less<>> groups;
  for (const std::string& path : paths) {
    std::vector<std::string_view> parts(group_by_->group_count() + 1);
    if (parts.size() > 1 && group_by_->find(path, parts))
      groups[std::string(parts[1])].push_back(path);
  }
  std::vector<std::string> out;
  for (const auto& [name, group] : groups) {
    for (std::string& path : first_of(group)) out.push_back(std::move(path));
  }
  return out;
}

std::vector<std::string> FileFinder::first_of(const std::vector<std::string>& paths) const {
  struct Item {
    const std::string* path;
    std::vector<std::string_view> parts;
    Key key;
  };
  std::vector<Item> items;
  for (const std::string& path : paths) {
    Item item{&path, std::vector<std::string_view>(regex_->group_count() + 1), {}};
    if (regex_->find(path, item.parts)) items.push_back(std::move(item));
  }
  for (const Rule& rule : rules_) {
    // What cannot be read as what it should be is left out.
    std::erase_if(items, [&](Item& item) {
      const std::string_view text = item.parts[rule.group];
      item.key = {};
      if (rule.type == Rule::Alphabetical) {
        item.key.text = text;
        return false;
      }
      if (rule.type == Rule::Timestamp) {
        const auto time = read_path_time(rule.layout, text);
        item.key.number = time.value_or(0);
        return !time.has_value();
      }
      const char* const end = text.data() + text.size();
      const auto [at, error] = std::from_chars(text.data(), end, item.key.number);
      return error != std::errc() || at != end;
    });
    std::ranges::stable_sort(items, [&](const Item& a, const Item& b) {
      return rule.ascending ? a.key < b.key : b.key < a.key;
    });
  }
  std::vector<std::string> out;
  for (size_t i = 0; i < std::min(top_n_, items.size()); ++i) out.push_back(*items[i].path);
  return out;
}

}  // namespace sonde::otlpjsonfile
