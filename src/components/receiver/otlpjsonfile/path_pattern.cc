// SPDX-License-Identifier: Apache-2.0
#include "components/receiver/otlpjsonfile/path_pattern.h"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "base/utf8.h"

namespace sonde::otlpjsonfile {
namespace {

// What is wrong with the pattern; empty where nothing is.
std::string_view fault(std::string_view text) {
  size_t depth = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
      case '\\':
        if (++i >= text.size()) return "it ends with a backslash";
        break;
      case '[':
        ++i;
        if (i < text.size() && (text[i] == '^' || text[i] == '!')) ++i;
        if (i < text.size() && text[i] == ']') return "a class in [] has no members";
        while (i < text.size() && text[i] != ']') i += text[i] == '\\' ? 2 : 1;
        if (i >= text.size()) return "a [ has no ]";
        break;
      case '{':
        ++depth;
        break;
      case '}':
        if (depth == 0) return "a } has no {";
        --depth;
        break;
      default:
        break;
    }
  }
  return depth > 0 ? "a { has no }" : "";
}

// The end of what stands at `i`: an escaped character, a class, or one character.
size_t skip(std::string_view text, size_t i) {
  if (text[i] == '\\') return std::min(i + 2, text.size());
  if (text[i] != '[') return i + 1;
  for (++i; i < text.size() && text[i] != ']';) i += text[i] == '\\' ? 2 : 1;
  return std::min(i + 1, text.size());
}

// Spells braces out. False when there are too many alternatives.
bool expand(const std::string& text, std::vector<std::string>& out) {
  size_t open = 0;
  while (open < text.size() && text[open] != '{') open = skip(text, open);
  if (open == text.size()) {
    out.push_back(text);
    return out.size() <= PathPattern::kMostAlternatives;
  }
  size_t depth = 0;
  size_t begin = open + 1;
  std::vector<std::string> middles;
  size_t i = open + 1;
  for (;; i = skip(text, i)) {
    if (depth == 0 && (text[i] == ',' || text[i] == '}')) {
      middles.push_back(text.substr(begin, i - begin));
      begin = i + 1;
      if (text[i] == '}') break;
    } else if (text[i] == '{') {
      ++depth;
    } else if (text[i] == '}') {
      --depth;
    }
  }
  const std::string before = text.substr(0, open);
  const std::string after = text.substr(i + 1);
  return std::ranges::all_of(
      middles, [&](const std::string& middle) { return expand(before + middle + after, out); });
}

// The next character of UTF-8, or one byte of what is none.
size_t character(std::string_view text, size_t at) {
  return std::max<size_t>(utf8_sequence(text.substr(at)), 1);
}

// A class at `at` of the pattern, which moves behind it, against one character.
bool in_class(std::string_view pattern, size_t& at, std::string_view one) {
  const bool negate = pattern[at + 1] == '^' || pattern[at + 1] == '!';
  size_t i = at + (negate ? 2 : 1);
  const auto member = [&] {
    if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
    const size_t size = character(pattern, i);
    i += size;
    return pattern.substr(i - size, size);
  };
  bool found = false;
  while (i < pattern.size() && pattern[i] != ']') {
    const std::string_view first = member();
    std::string_view last = first;
    if (i + 1 < pattern.size() && pattern[i] == '-' && pattern[i + 1] != ']') {
      ++i;
      last = member();
    }
    // The bytes of UTF-8 are ordered as its characters are.
    found = found || (first <= one && one <= last);
  }
  at = i + 1;
  return found != negate;
}

bool name_matches(std::string_view pattern, std::string_view name) {
  size_t p = 0;
  size_t n = 0;
  std::optional<std::pair<size_t, size_t>> star;
  while (n < name.size()) {
    const size_t size = character(name, n);
    bool same = false;
    if (p < pattern.size()) {
      switch (pattern[p]) {
        case '*':
          star = {++p, n};
          continue;
        case '?':
          same = true;
          ++p;
          break;
        case '[':
          same = in_class(pattern, p, name.substr(n, size));
          break;
        default: {
          const size_t literal = p + (pattern[p] == '\\' ? 1 : 0);
          same = pattern.substr(literal, size) == name.substr(n, size);
          p = literal + size;
        }
      }
    }
    if (same) {
      n += size;
    } else if (star) {
      star->second += character(name, star->second);
      std::tie(p, n) = *star;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> names;
  for (size_t i = 0; i <= path.size();) {
    const size_t end = std::min(path.find('/', i), path.size());
    const std::string_view name = path.substr(i, end - i);
    if ((!name.empty() || i == 0) && name != ".") names.emplace_back(name);
    i = end + 1;
  }
  return names;
}

bool names_match(std::span<const std::string> pattern, std::span<const std::string> names) {
  // As a star within a name, but over whole names: of several `**` only the last must be retried.
  size_t p = 0;
  size_t n = 0;
  std::optional<std::pair<size_t, size_t>> stars;
  while (n < names.size()) {
    if (p < pattern.size() && pattern[p] == "**") {
      stars = {++p, n};
    } else if (p < pattern.size() && name_matches(pattern[p], names[n])) {
      ++p;
      ++n;
    } else if (stars) {
      std::tie(p, n) = std::pair(stars->first, ++stars->second);
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == "**") ++p;
  return p == pattern.size();
}

std::optional<std::string> literal(std::string_view name) {
  std::string out;
  for (size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '*' || name[i] == '?' || name[i] == '[') return std::nullopt;
    if (name[i] == '\\') ++i;
    out += name[i];
  }
  return out;
}

class Walk {
 public:
  Walk(std::span<const std::string> names, std::set<std::string>& out) : names_(names), out_(out) {}

  void run() {
    if (names_.empty()) return;
    const bool absolute = names_[0].empty();
    directory(absolute ? "/" : "", absolute ? 1 : 0);
  }
  bool whole() const { return out_.size() <= PathPattern::kMostFiles; }

 private:
  // What lies in the directory ("" is where the program runs) and matches the names from `at` on.
  void directory(const std::string& path, size_t at) {
    if (at == names_.size() || !whole()) return;
    const std::string& name = names_[at];
    if (name == "**") return stars(path, at);
    if (auto plain = literal(name)) return entry(path, *plain, at);
    for (const std::string& found : list(path)) {
      if (name_matches(name, found)) entry(path, found, at);
    }
  }

  void entry(const std::string& path, const std::string& name, size_t at) {
    const std::string whole_path = path + name;
    struct stat status{};
    if (::stat(whole_path.c_str(), &status) != 0) return;
    if (!S_ISDIR(status.st_mode)) {
      if (at + 1 == names_.size()) out_.insert(whole_path);
    } else if (at + 1 < names_.size()) {
      directory(whole_path + "/", at + 1);
    }
  }

  void stars(const std::string& path, size_t at) {
    struct stat status{};
    if (!whole() || ::stat(path.empty() ? "." : path.c_str(), &status) != 0) return;
    const std::pair<uint64_t, uint64_t> here{status.st_dev, status.st_ino};
    if (std::ranges::find(above_, here) != above_.end()) return;  // A link to where we came from.
    above_.push_back(here);
    if (at + 1 < names_.size()) directory(path, at + 1);
    for (const std::string& found : list(path)) {
      const std::string child = path + found;
      if (::stat(child.c_str(), &status) != 0) continue;
      if (S_ISDIR(status.st_mode)) {
        stars(child + "/", at);
      } else if (at + 1 == names_.size()) {
        out_.insert(child);
      }
    }
    above_.pop_back();
  }

  static std::vector<std::string> list(const std::string& path) {
    std::vector<std::string> names;
    const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(path.empty() ? "." : path.c_str()),
                                                   [](DIR* dir) { return ::closedir(dir); });
    if (!open) return names;
    while (const dirent* found = ::readdir(open.get())) {
      const std::string_view name = found->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    return names;
  }

  const std::span<const std::string> names_;
  std::set<std::string>& out_;
  std::vector<std::pair<uint64_t, uint64_t>> above_;
};

}  // namespace

Result<PathPattern> PathPattern::parse(std::string_view pattern) {
  const std::string_view wrong = fault(pattern);
  if (!wrong.empty())
    return fail(ErrorKind::Invalid, fmt::format("\"{}\" is no pattern: {}", pattern, wrong));
  std::vector<std::string> spelled;
  if (!expand(std::string(pattern), spelled)) {
    return fail(ErrorKind::Invalid,
                fmt::format("\"{}\": its braces stand for more than {} patterns", pattern,
                            kMostAlternatives));
  }
  PathPattern out;
  for (const std::string& one : spelled) {
    // (A star beside another that is no whole name means one star, as in a shell.)
    if (!one.empty()) out.alternatives_.push_back(split(one));
  }
  return out;
}

bool PathPattern::matches(std::string_view path) const {
  const Names names = split(path);
  return std::ranges::any_of(alternatives_,
                             [&](const Names& one) { return names_match(one, names); });
}

bool PathPattern::find(std::set<std::string>& out) const {
  for (const Names& one : alternatives_) {
    Walk walk(one, out);
    walk.run();
    if (!walk.whole()) return false;
  }
  return true;
}

}  // namespace sonde::otlpjsonfile
