// SPDX-License-Identifier: Apache-2.0
#include "pipeline/match/attribute_actions.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "base/ascii.h"
#include "base/digest.h"
#include "data/collector_text.h"
#include "pipeline/match/setting_value.h"

namespace sonde::pipeline {
namespace {

std::unexpected<Error> wrong(std::string what) { return fail(ErrorKind::Invalid, std::move(what)); }

// Names are asked for in lower case, as the context keeps them.
bool join(const std::vector<std::pair<std::string, std::string>>& list, std::string_view name,
          std::string& out) {
  bool any = false;
  for (const auto& [key, value] : list) {
    if (key != name) continue;
    if (any) out += ';';
    out += value;
    any = true;
  }
  return any;
}

std::string_view host_of(std::string_view peer) {
  const size_t colon = peer.rfind(':');
  if (colon == std::string_view::npos) return peer;
  std::string_view host = peer.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host;
}

// Go's int64(f) for a float that does not fit gives the smallest integer on amd64.
int64_t truncated(double value) {
  return value >= -9223372036854775808.0 && value < 9223372036854775808.0
             ? static_cast<int64_t>(value)
             : INT64_MIN;
}

template <class Number>
std::optional<Number> parse(std::string_view text) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

bool context_value(const RequestContext* context, std::string_view name, std::string& out) {
  out.clear();
  if (name == "client.address") {
    // Always there, as in the Collector: empty where nobody knows.
    if (context) out = host_of(context->peer);
    return true;
  }
  if (!context) return false;
  if (name.starts_with("auth.")) return join(context->auth, name.substr(5), out);
  if (name.starts_with("metadata.")) name.remove_prefix(9);
  return join(context->metadata, lower(name), out);
}

Result<AttributeActions> AttributeActions::make(std::span<const AttributeAction> actions) {
  AttributeActions made;
  for (size_t i = 0; i < actions.size(); ++i) {
    auto action = prepare(actions[i]);
    if (!action) return std::unexpected(at("actions::" + std::to_string(i), action.error()));
    if (action->pattern)
      made.groups_.resize(std::max(made.groups_.size(), action->pattern->group_count() + 1));
    made.actions_.push_back(std::move(*action));
  }
  return made;
}

Result<AttributeActions::Action> AttributeActions::prepare(const AttributeAction& from) {
  constexpr std::pair<std::string_view, Kind> kKinds[] = {
      {"insert", Kind::Insert},  {"update", Kind::Update}, {"upsert", Kind::Upsert},
      {"delete", Kind::Delete},  {"hash", Kind::Hash},     {"extract", Kind::Extract},
      {"convert", Kind::Convert}};
  const std::string name = lower(from.action);
  const auto found = std::ranges::find(kKinds, name, &std::pair<std::string_view, Kind>::first);
  if (found == std::end(kKinds)) {
    return wrong("action: \"" + from.action +
                 "\" is none of insert, update, upsert, delete, hash, extract and convert");
  }
  Action action;
  action.kind = found->second;
  action.key = from.key;
  action.from_attribute = from.from_attribute;
  action.from_context = from.from_context;
  const bool puts = action.kind <= Kind::Upsert;
  const bool by_pattern = action.kind == Kind::Delete || action.kind == Kind::Hash;
  if (from.key.empty() && !(by_pattern && !from.pattern.empty()))
    return wrong(by_pattern ? "give a key or a pattern" : "it has no key");
  const int sources = (from.value.is_null() ? 0 : 1) + (from.from_attribute.empty() ? 0 : 1) +
                      (from.from_context.empty() ? 0 : 1);
  if (puts && sources > 1) {
    return wrong(name + " takes only one of value, from_attribute and from_context");
  }
  if (puts && sources == 0 && from.default_value.is_null())
    return wrong(name + " needs one of value, from_attribute, from_context and default_value");
  // The Collector takes a from_context of hash and delete, and any default_value that nothing uses.
  if (!puts && sources > (by_pattern && !from.from_context.empty() ? 1 : 0))
    return wrong(name + " does not take value, from_attribute or from_context");
  if (puts && !from.default_value.is_null())
    action.fallback = TRY(any_value_of(from.default_value));
  if (!from.value.is_null()) action.value = TRY(any_value_of(from.value));
  if (action.kind == Kind::Extract && from.pattern.empty()) return wrong("extract needs a pattern");
  if (!from.pattern.empty()) {
    if (!by_pattern && action.kind != Kind::Extract)
      return wrong(name + " does not take a pattern");
    action.pattern = TRY(Regex::compile(from.pattern));
  }
  if (action.kind == Kind::Extract) {
    const auto& names = action.pattern->group_names();
    if (names.empty()) return wrong("pattern: it has no named group");
    if (std::ranges::any_of(names, &std::string::empty))
      return wrong("pattern: every group needs a name");
  }
  if (action.kind != Kind::Convert) {
    if (!from.converted_type.empty()) return wrong(name + " does not take a converted_type");
  } else if (from.converted_type == "int") {
    action.target = Target::Int;
  } else if (from.converted_type == "double") {
    action.target = Target::Double;
  } else if (from.converted_type != "string") {
    return wrong("converted_type: it is \"" + from.converted_type +
                 "\" and must be int, double or string");
  }
  return action;
}

void AttributeActions::apply(MessageEdit& attributes, const RequestContext* context) {
  for (const Action& action : actions_) {
    switch (action.kind) {
      case Kind::Insert:
        if (!attributes.has(action.key)) put(action, attributes, context);
        break;
      case Kind::Update:
        if (attributes.has(action.key)) put(action, attributes, context);
        break;
      case Kind::Upsert:
        put(action, attributes, context);
        break;
      case Kind::Delete:
        if (!action.key.empty()) attributes.erase(action.key);
        if (action.pattern) {
          attributes.erase_if(
              [&](const KeyValueView& pair) { return action.pattern->matches(pair.key); });
        }
        break;
      case Kind::Hash:
        if (!action.key.empty()) hash_key(action.key, attributes);
        if (action.pattern) hash_matching(*action.pattern, attributes);
        break;
      case Kind::Extract:
        extract(action, attributes);
        break;
      case Kind::Convert:
        convert(action, attributes);
        break;
    }
  }
}

void AttributeActions::put(const Action& action, MessageEdit& attributes,
                           const RequestContext* context) {
  if (action.value) return attributes.set_any(action.key, *action.value);
  if (!action.from_context.empty()) {
    if (context_value(context, action.from_context, scratch_))
      return attributes.set(action.key, std::string_view(scratch_));
  } else if (const auto source = attributes.get(action.from_attribute)) {
    return set_attribute(attributes, action.key, *source, scratch_);
  }
  if (action.fallback) attributes.set_any(action.key, *action.fallback);
}

// SHA-256 over the text, or over what a number or a truth lies in memory as; what has no such
// bytes becomes the empty text.
void AttributeActions::hash(const AnyValueView& value) {
  using ValueKind = AnyValueView::Kind;
  scratch_.clear();
  const auto raw = [&](auto content) {
    scratch_.assign(reinterpret_cast<const char*>(&content), sizeof(content));
  };
  if (value.kind() == ValueKind::String) scratch_ = value.as_string();
  if (value.kind() == ValueKind::Bool) raw(static_cast<char>(value.as_bool() ? 1 : 0));
  if (value.kind() == ValueKind::Int) raw(value.as_int());
  if (value.kind() == ValueKind::Double) raw(value.as_double());
  if (!scratch_.empty() || value.is_string()) scratch_ = hex_digest(Digest::Sha256, scratch_);
}

void AttributeActions::hash_key(std::string_view key, MessageEdit& attributes) {
  const auto value = attributes.get(key);
  if (!value) return;
  hash(*value);
  attributes.set(key, std::string_view(scratch_));
}

void AttributeActions::hash_matching(const Regex& pattern, MessageEdit& attributes) {
  attributes.replace_values([&](const KeyValueView& pair) -> std::optional<AttributeValue> {
    if (!pattern.matches(pair.key)) return std::nullopt;
    hash(pair.value);
    return scratch_;
  });
}

void AttributeActions::extract(const Action& action, MessageEdit& attributes) {
  const auto value = attributes.get(action.key);
  if (!value || !value->is_string()) return;
  const auto& names = action.pattern->group_names();
  const std::span<std::string_view> groups(groups_.data(), names.size() + 1);
  scratch_ = value->as_string();  // It outlives the changes.
  if (!action.pattern->find(scratch_, groups)) return;
  for (size_t i = 0; i < names.size(); ++i) attributes.set(names[i], groups[i + 1]);
}

void AttributeActions::convert(const Action& action, MessageEdit& attributes) {
  using ValueKind = AnyValueView::Kind;
  const auto value = attributes.get(action.key);
  if (!value) return;
  const bool text = value->is_string();
  if (action.target == Target::String) {
    if (text) return;
    scratch_ = collector_text(*value);
    return attributes.set(action.key, std::string_view(scratch_));
  }
  const auto set = [&](AttributeValue converted) { attributes.set(action.key, converted); };
  if (action.target == Target::Int) {
    if (value->kind() == ValueKind::Double) set(truncated(value->as_double()));
    if (value->kind() == ValueKind::Bool) set(int64_t{value->as_bool()});
    if (text)
      if (const auto number = parse<int64_t>(value->as_string())) set(*number);
    return;
  }
  if (value->kind() == ValueKind::Int) set(static_cast<double>(value->as_int()));
  if (value->kind() == ValueKind::Bool) set(value->as_bool() ? 1.0 : 0.0);
  if (text)
    if (const auto number = parse<double>(value->as_string())) set(*number);
}

}  // namespace sonde::pipeline
