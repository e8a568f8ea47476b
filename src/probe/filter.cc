// SPDX-License-Identifier: Apache-2.0
// Selectors and globs of filter.h.
#include "probe/filter.h"

#include "probe/process_table.h"

namespace sonde::probe {

bool glob_matches(std::string_view pattern, std::string_view text) {
  size_t p = 0;
  size_t t = 0;
  size_t star = std::string_view::npos;
  size_t mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool Filter::parse_one(const std::string& text, Selector& out) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos) {
    out = {Kind::Any, text};
    return !text.empty();
  }
  const std::string_view kind = std::string_view(text).substr(0, equals);
  out.pattern = text.substr(equals + 1);
  if (kind == "executable") {
    out.kind = Kind::Executable;
  } else if (kind == "port") {
    out.kind = Kind::Port;
  } else if (kind == "name") {
    out.kind = Kind::Name;
  } else if (kind == "container") {
    out.kind = Kind::Container;
  } else if (kind == "unit") {
    out.kind = Kind::Unit;
  } else {
    return false;
  }
  return !out.pattern.empty();
}

std::string Filter::parse(const std::vector<std::string>& include,
                          const std::vector<std::string>& exclude, Filter& out) {
  for (const auto* list : {&include, &exclude}) {
    for (const std::string& text : *list) {
      Selector selector{};
      if (!parse_one(text, selector)) return text.empty() ? "(empty)" : text;
      (list == &include ? out.include_ : out.exclude_).push_back(std::move(selector));
    }
  }
  return {};
}

bool Filter::matches(const Selector& selector, const Process& process, int port) {
  const std::string_view pattern = selector.pattern;
  switch (selector.kind) {
    case Kind::Any:
      return glob_matches(pattern, process.service) || glob_matches(pattern, process.executable);
    case Kind::Executable:
      return glob_matches(pattern, process.executable) ||
             glob_matches(pattern, process.executable_path);
    case Kind::Port:
      return port >= 0 && glob_matches(pattern, std::to_string(port));
    case Kind::Name:
      return glob_matches(pattern, process.service);
    case Kind::Container:
      return (!process.container.empty() && glob_matches(pattern, process.container)) ||
             (!process.container_name.empty() && glob_matches(pattern, process.container_name));
    case Kind::Unit:
      return !process.unit.empty() && glob_matches(pattern, process.unit);
  }
  return false;
}

Verdict Filter::verdict(const Process& process) const {
  // A port is known only once a connection is there, a container's name once its runtime told; and
  // that names the service as well, unless its owner did.
  const bool no_container_name = !process.container.empty() && process.container_name.empty();
  const bool no_service_name = no_container_name && !process.named_by_owner;
  bool excluded_for_now = false;
  for (const Selector& selector : exclude_) {
    if (!matches(selector, process, -1)) continue;
    const bool by_service =
        selector.kind == Kind::Name ||
        (selector.kind == Kind::Any && !glob_matches(selector.pattern, process.executable));
    if (!by_service || !no_service_name) return Verdict::Excluded;
    excluded_for_now = true;
  }
  if (excluded_for_now) return Verdict::ExcludedForNow;
  if (include_.empty()) return Verdict::Watched;
  for (const Selector& selector : include_) {
    const bool by_service = selector.kind == Kind::Name || selector.kind == Kind::Any;
    if (selector.kind == Kind::Port || (selector.kind == Kind::Container && no_container_name) ||
        (by_service && no_service_name) || matches(selector, process, -1)) {
      return Verdict::Watched;
    }
  }
  return Verdict::Excluded;
}

bool Filter::watched(const Process& process, uint16_t server_port) const {
  for (const Selector& selector : exclude_) {
    if (matches(selector, process, server_port)) return false;
  }
  if (include_.empty()) return true;
  for (const Selector& selector : include_) {
    if (matches(selector, process, server_port)) return true;
  }
  return false;
}

}  // namespace sonde::probe
