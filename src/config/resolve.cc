// SPDX-License-Identifier: Apache-2.0
#include "config/resolve.h"

#include <algorithm>

#include "base/ascii.h"
#include "config/expand.h"
#include "config/problems.h"

namespace sonde::config {
namespace {

// "C:\sonde.yaml" is a path too.
bool is_path(std::string_view uri) {
  if (uri.find(':') == std::string_view::npos) return true;
  const char first = static_cast<char>(uri[0] | 0x20);
  return uri.size() > 1 && uri[1] == ':' && first >= 'a' && first <= 'z';
}

// A text on the command line is called by its first key: what follows may be secret.
std::string name_of_text(std::string_view text) {
  text = trimmed(text, kWhiteSpace).substr(0, 60);
  return "yaml:" + std::string(text.substr(0, std::min(text.find(": "), text.find('\n'))));
}

Result<Value> read(const std::string& uri, const Providers& providers,
                   std::vector<std::string>& warnings) {
  const Location location = is_path(uri) ? Location{"file", uri} : TRY(parse_location(uri));
  const auto provider = providers.find(location.scheme);
  if (provider == providers.end()) {
    std::string known;
    for (const auto& [name, p] : providers) known += (known.empty() ? "" : ", ") + name;
    return fail(ErrorKind::Invalid, "--config " + shown_uri(uri) + ": there is no source \"" +
                                        location.scheme + "\"; there are " + known);
  }
  auto retrieved = provider->second(location.rest);
  if (!retrieved) return fail(retrieved.error().kind, "--config: " + retrieved.error().message);
  if (!retrieved->warning.empty()) warnings.push_back(retrieved->warning);
  const std::string name = location.scheme == "file"   ? location.rest
                           : location.scheme == "yaml" ? name_of_text(location.rest)
                                                       : shown_uri(uri);
  auto source = std::make_shared<const Source>(Source{name, retrieved->text, retrieved->shown});
  Value value = TRY(read_yaml(source, &warnings));
  if (value.is_null()) value = Value::map();
  if (!value.is_map()) {
    return fail_at(value.position,
                   "a configuration is a map, this is " + std::string(type_name(value.type)));
  }
  return split_keys(std::move(value));
}

bool joins(const std::vector<std::string>& path) {
  if (path.size() == 2) return path[0] == "service" && path[1] == "extensions";
  return path.size() >= 3 && path[0] == "service" &&
         (path.back() == "receivers" || path.back() == "exporters");
}

bool same(const Value& a, const Value& b) { return a.type == b.type && a.text == b.text; }

// Puts what the base has in front of the overlay's lists, where lists are joined.
void join(const Value& base, Value& overlay, std::vector<std::string>& path) {
  for (Entry& entry : overlay.entries) {
    const Value* old = base.find(entry.key);
    if (!old) continue;
    path.push_back(entry.key);
    if (old->is_list() && entry.value.is_list() && joins(path)) {
      std::vector<Value> all = old->items;
      for (Value& item : entry.value.items) {
        const auto equal = [&](const Value& other) { return same(item, other); };
        if (std::ranges::none_of(all, equal)) all.push_back(std::move(item));
      }
      entry.value.items = std::move(all);
    } else if (old->is_map() && entry.value.is_map()) {
      join(*old, entry.value, path);
    }
    path.pop_back();
  }
}

}  // namespace

Result<Resolution> resolve(const std::vector<std::string>& uris, const Providers& providers,
                           const ResolveOptions& options) {
  Resolution result;
  result.root = Value::map();
  Problems problems;
  for (const std::string& uri : uris) {
    auto next = read(uri, providers, result.warnings);
    if (!problems.ok(next)) continue;
    if (options.join_lists) {
      std::vector<std::string> path;
      join(result.root, *next, path);
    }
    if (result.root.position.line == 0) result.root.position = next->position;
    result.root = merge(std::move(result.root), std::move(*next));
  }
  // A half-read configuration would only give errors that follow from the first ones.
  TRY(problems.result());
  Expander expander(providers);
  expander.expand(result.root, problems);
  TRY(problems.result());
  result.warnings.insert(result.warnings.end(), expander.warnings().begin(),
                         expander.warnings().end());
  return result;
}

Result<std::string> set_to_uri(std::string_view assignment) {
  const size_t equals = assignment.find('=');
  if (equals == std::string_view::npos) {
    return fail(ErrorKind::Invalid, "--set " + std::string(assignment) +
                                        ": there is no =; write for example --set "
                                        "processors.batch.timeout=2s");
  }
  std::string key;
  for (const char c : assignment.substr(0, equals)) key += c == '.' ? "::" : std::string(1, c);
  return "yaml:" + std::string(trimmed(key, kWhiteSpace)) + ": " +
         std::string(trimmed(assignment.substr(equals + 1), kWhiteSpace));
}

}  // namespace sonde::config
