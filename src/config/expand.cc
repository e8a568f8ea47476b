// SPDX-License-Identifier: Apache-2.0
#include "config/expand.h"

#include <algorithm>

#include "base/ascii.h"

namespace sonde::config {
namespace {

constexpr int kMaxPasses = 1000;  // The Collector's own bound.
constexpr int kMaxDepth = 100;
constexpr size_t kMaxBytes = 64 * 1024 * 1024;

// The first `${...}` that is to be replaced, or nothing.
std::string_view find_uri(std::string_view text) {
  while (true) {
    const size_t close = text.find('}');
    if (close == std::string_view::npos) return {};
    const size_t open = text.substr(0, close).rfind("${");
    if (open == std::string_view::npos) {
      text.remove_prefix(close + 1);
      continue;
    }
    size_t dollars = 0;
    while (dollars < open && text[open - 1 - dollars] == '$') ++dollars;
    if (dollars % 2 == 1) return {};
    return text.substr(open, close + 1 - open);
  }
}

std::string replace_all(std::string_view text, std::string_view what, std::string_view by) {
  std::string out;
  for (size_t at = text.find(what); at != std::string_view::npos; at = text.find(what)) {
    out += text.substr(0, at);
    out += by;
    text.remove_prefix(at + what.size());
  }
  return out += text;
}

void unescape_text(std::string& text) {
  if (text.find("$$") != std::string::npos) text = replace_all(text, "$$", "$");
}

// What an expansion made has no place of its own in a file: it stands where the `${...}` stood.
void place_at(Value& value, const Position& position) {
  value.position = position;
  for (Value& item : value.items) place_at(item, position);
  for (Entry& entry : value.entries) {
    entry.position = position;
    place_at(entry.value, position);
  }
}

// "${...}" as messages show it.
std::string shown_expansion(std::string_view uri) {
  return "${" + shown_uri(uri.substr(2, uri.size() - 3)) + "}";
}

}  // namespace

Result<Location> parse_location(std::string_view uri) {
  const size_t colon = uri.find(':');
  const std::string_view scheme = uri.substr(0, colon);
  const auto allowed = [](char c) {
    return is_alphanumeric(c) || c == '+' || c == '.' || c == '-';
  };
  if (colon == std::string_view::npos || scheme.size() < 2 || !is_letter(scheme[0]) ||
      !std::ranges::all_of(scheme, allowed)) {
    return fail(ErrorKind::Invalid, "\"" + shown_uri(uri) + "\" is not scheme:something");
  }
  return Location{std::string(scheme), std::string(uri.substr(colon + 1))};
}

Result<> Expander::spend(size_t bytes) {
  spent_ += bytes;
  if (spent_ <= kMaxBytes) return {};
  return fail(ErrorKind::Exhausted, "expansions grow past 64 MiB; does one name itself?");
}

Result<Retrieved> Expander::retrieve(std::string_view uri, const Position& position) {
  std::string inner(uri.substr(2, uri.size() - 3));
  if (inner.find(':') == std::string::npos) inner = "env:" + inner;
  auto location = parse_location(inner);
  const std::string shown = shown_expansion(uri);
  const auto unknown = [&](std::string_view scheme) {
    std::string known;
    for (const auto& [name, provider] : providers_) known += (known.empty() ? "" : ", ") + name;
    std::string message =
        shown + ": there is no source \"" + std::string(scheme) + "\"; there are " + known;
    if (inner.find(":-") != std::string::npos) message += "; write ${env:NAME:-default}";
    return fail(ErrorKind::Invalid, std::move(message));
  };
  if (!location) return unknown(inner.substr(0, inner.find(':')));
  if (location->rest.find('$') != std::string::npos) {
    return fail(ErrorKind::Invalid, shown + ": there may be no $ in it");
  }
  const auto provider = providers_.find(location->scheme);
  if (provider == providers_.end()) return unknown(location->scheme);
  auto retrieved = provider->second(location->rest);
  if (!retrieved) {
    return fail(retrieved.error().kind, shown + ": " + retrieved.error().message);
  }
  TRY(spend(retrieved->text.size()));
  if (!retrieved->warning.empty() && warned_.insert(retrieved->warning).second) {
    const std::string where = position.to_string();
    warnings_.push_back(where.empty() ? retrieved->warning : where + ": " + retrieved->warning);
  }
  return std::move(*retrieved);
}

Result<> Expander::replace_whole(Value& value, const Retrieved& retrieved, std::string_view uri) {
  Value made;
  made.type = Value::Type::String;
  if (!retrieved.literal) {
    auto source = std::make_shared<const Source>(
        Source{shown_expansion(uri), retrieved.text, retrieved.shown});
    auto parsed = read_yaml(std::move(source));
    if (parsed) {
      made = std::move(*parsed);
    } else if (parsed.error().kind == ErrorKind::Exhausted) {
      return std::unexpected(parsed.error());
    }
    // What is no YAML is a string. An integer above an int64 is none that the Collector takes.
    if (made.type == Value::Type::Int && made.above_int64) {
      return fail(ErrorKind::Invalid, shown_expansion(uri) + ": the number is too large; quote it");
    }
    made = split_keys(std::move(made));
  }
  made.text = retrieved.text;
  made.expanded = made.type != Value::Type::String;
  place_at(made, value.position);
  value = std::move(made);
  return {};
}

Result<> Expander::expand_text(Value& value, int depth) {
  while (true) {
    const std::string uri(find_uri(value.text));
    if (uri.empty()) return {};
    if (++passes_ > kMaxPasses) {
      return fail(ErrorKind::Exhausted, "too many expansions; does one name itself?");
    }
    const Retrieved retrieved = TRY(retrieve(uri, value.position));
    if (uri.size() != value.text.size()) {
      // Counted before it is made: a short text may hold the same expansion very often.
      TRY(spend(value.text.size() / uri.size() * retrieved.text.size()));
      value.text = replace_all(value.text, uri, retrieved.text);
      continue;
    }
    TRY(replace_whole(value, retrieved, uri));
    if (value.type == Value::Type::String) continue;
    // Its original text may hold expansions too; where they fail, it stays what it was.
    Value original = Value::string(value.text);
    original.position = value.position;
    if (original.text.find("${") != std::string::npos && expand_text(original, depth + 1) &&
        original.type == Value::Type::String) {
      value.text = std::move(original.text);
    }
    return expand_value(value, nullptr, depth + 1);
  }
}

Result<> Expander::expand_value(Value& value, Problems* problems, int depth) {
  if (depth > kMaxDepth) {
    return fail(ErrorKind::Exhausted, "expansions are nested too deeply; does one name itself?");
  }
  const auto inner = [&](Value& child, const std::string& key) -> Result<> {
    if (!problems) return expand_value(child, nullptr, depth + 1);
    passes_ = 0;
    const size_t size = path_.size();
    path_ += (path_.empty() ? "" : "::") + key;
    if (auto done = expand_value(child, problems, depth + 1); !done) {
      problems->add(child.position, path_ + ": " + done.error().message);
    }
    path_.resize(size);
    return {};
  };
  for (size_t i = 0; i < value.items.size(); ++i) TRY(inner(value.items[i], std::to_string(i)));
  for (Entry& entry : value.entries) TRY(inner(entry.value, entry.key));
  if (value.type == Value::Type::String) return expand_text(value, depth);
  return {};
}

void Expander::unescape(Value& value) {
  if (value.type == Value::Type::String || value.expanded) unescape_text(value.text);
  for (Value& item : value.items) unescape(item);
  for (Entry& entry : value.entries) unescape(entry.value);
}

void Expander::expand(Value& value, Problems& problems) {
  passes_ = 0;
  if (auto done = expand_value(value, &problems, 0); !done) {
    problems.add(value.position, done.error().message);
  }
  unescape(value);
}

}  // namespace sonde::config
