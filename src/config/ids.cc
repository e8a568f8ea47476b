// SPDX-License-Identifier: Apache-2.0
#include "config/ids.h"

#include <algorithm>
#include <iterator>

#include "base/ascii.h"
#include "base/regex.h"
#include "config/problems.h"

namespace sonde::config {
namespace {

constexpr size_t kMaxType = 63;
constexpr size_t kMaxName = 1024;

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

// The Collector's own expression: no separators, no control characters and no symbols.
bool is_name(std::string_view name) {
  static const Result<Regex> kName = Regex::compile("^[^\\pZ\\pC\\pS]+$");
  return name.size() <= kMaxName && kName && kName->matches(name);
}

bool is_type(std::string_view type) {
  const auto allowed = [](char c) { return is_alphanumeric(c) || c == '_'; };
  return !type.empty() && type.size() <= kMaxType && is_letter(type[0]) &&
         std::ranges::all_of(type, allowed);
}

Result<ComponentId> split(std::string_view text) {
  const size_t slash = text.find('/');
  ComponentId id{std::string(trimmed(text.substr(0, slash), kWhiteSpace)), {}};
  if (id.type.empty()) {
    return fail(ErrorKind::Invalid, slash == std::string_view::npos
                                        ? "the id is empty; write type or type/name"
                                        : quoted(text) + " has no type before the slash");
  }
  if (slash == std::string_view::npos) return id;
  id.name = trimmed(text.substr(slash + 1), kWhiteSpace);
  if (id.name.empty()) {
    return fail(ErrorKind::Invalid, quoted(text) + " has no name after the slash");
  }
  if (!is_name(id.name)) {
    return fail(ErrorKind::Invalid, "the name of " + quoted(text) +
                                        " has a space, a control character or a symbol, or is "
                                        "longer than 1024 characters");
  }
  return id;
}

}  // namespace

Result<ComponentId> parse_component_id(std::string_view text) {
  ComponentId id = TRY(split(text));
  if (is_type(id.type)) return id;
  return fail(ErrorKind::Invalid,
              quoted(text) +
                  " is not a component id; write type or type/name, the type with a "
                  "letter first and then letters, digits and _");
}

Result<ComponentId> parse_pipeline_id(std::string_view text) {
  ComponentId id = TRY(split(text));
  constexpr std::string_view kSignals[] = {"traces", "metrics", "logs", "profiles"};
  if (std::ranges::find(kSignals, id.type) != std::end(kSignals)) return id;
  std::string close = suggestion(id.type, {"traces", "metrics", "logs"});
  if (close.empty()) close = "; use traces, metrics, logs or profiles";
  return fail(ErrorKind::Invalid, "unknown signal " + quoted(id.type) + close);
}

}  // namespace sonde::config
