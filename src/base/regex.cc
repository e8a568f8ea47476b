// SPDX-License-Identifier: Apache-2.0
#include "base/regex.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>

namespace sonde {
namespace {

// Go takes (?<name>...) since 1.22, this RE2 only (?P<name>...).
std::string with_old_names(std::string_view pattern) {
  std::string out;
  bool in_class = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    out += c;
    if (c == '\\' && i + 1 < pattern.size()) {
      out += pattern[++i];
    } else if (in_class) {
      in_class = c != ']';
    } else if (c == '[') {
      in_class = true;
      // A bracket that comes first is one of the class.
      if (pattern.substr(i + 1).starts_with("^")) out += pattern[++i];
      if (pattern.substr(i + 1).starts_with("]")) out += pattern[++i];
    } else if (c == '(' && pattern.substr(i + 1).starts_with("?<") && i + 3 < pattern.size() &&
               pattern[i + 3] != '=' && pattern[i + 3] != '!') {
      out += "?P";
      ++i;
    }
  }
  return out;
}

std::string_view view(const re2::StringPiece& piece) { return {piece.data(), piece.size()}; }

}  // namespace

struct Regex::Compiled {
  explicit Compiled(const std::string& pattern) : re(pattern, options()) {}
  static RE2::Options options() {
    RE2::Options options;
    options.set_log_errors(false);
    return options;
  }
  RE2 re;
};

Regex::Regex(std::unique_ptr<Compiled> compiled, std::vector<std::string> names)
    : compiled_(std::move(compiled)), names_(std::move(names)) {}
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

Result<Regex> Regex::compile(std::string_view pattern) {
  auto compiled = std::make_unique<Compiled>(with_old_names(pattern));
  if (!compiled->re.ok()) {
    return fail(ErrorKind::Invalid, "\"" + std::string(pattern) +
                                        "\" is no regular expression: " + compiled->re.error());
  }
  std::vector<std::string> names(
      static_cast<size_t>(std::max(0, compiled->re.NumberOfCapturingGroups())));
  for (const auto& [number, name] : compiled->re.CapturingGroupNames()) {
    names[static_cast<size_t>(number) - 1] = name;
  }
  return Regex(std::move(compiled), std::move(names));
}

bool Regex::matches(std::string_view text) const {
  return compiled_->re.Match({text.data(), text.size()}, 0, text.size(), RE2::UNANCHORED, nullptr,
                             0);
}

bool Regex::find(std::string_view text, std::span<std::string_view> groups) const {
  // Patterns of configurations have few groups; only more than these take memory.
  std::array<re2::StringPiece, 16> few;
  std::vector<re2::StringPiece> many;
  re2::StringPiece* found = few.data();
  if (groups.size() > few.size()) {
    many.resize(groups.size());
    found = many.data();
  }
  if (!compiled_->re.Match({text.data(), text.size()}, 0, text.size(), RE2::UNANCHORED, found,
                           static_cast<int>(groups.size()))) {
    return false;
  }
  for (size_t i = 0; i < groups.size(); ++i) groups[i] = view(found[i]);
  return true;
}

bool Regex::replace_all(std::string_view text, const Put& put, std::string& out) const {
  const re2::StringPiece whole(text.data(), text.size());
  re2::StringPiece match;
  size_t search = 0;
  size_t done = 0;
  bool any = false;
  while (search <= text.size() &&
         compiled_->re.Match(whole, search, text.size(), RE2::UNANCHORED, &match, 1)) {
    if (!any) out.clear();
    any = true;
    const auto begin = static_cast<size_t>(match.data() - text.data());
    const size_t end = begin + match.size();
    out.append(text.substr(done, begin - done));
    if (end > done || begin == 0) put(out, view(match));
    done = end;
    if (end > search) {
      search = end;
      continue;
    }
    // An empty match: on by one character of UTF-8.
    ++search;
    while (search < text.size() && (static_cast<uint8_t>(text[search]) & 0xc0) == 0x80) ++search;
  }
  if (any) out.append(text.substr(done));
  return any;
}

}  // namespace sonde
