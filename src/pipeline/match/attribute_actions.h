// SPDX-License-Identifier: Apache-2.0
// The list of actions that the processors attributes and resource apply to attributes, in its
// order: insert, update, upsert, delete, hash, extract, convert. Everything that can be prepared
// is, so that an action costs what finding its attribute costs.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/regex.h"
#include "config/field.h"
#include "data/batch.h"
#include "data/message_edit.h"

namespace sonde::pipeline {

struct AttributeAction {
  std::string key;
  std::string action;
  config::Value value;
  std::string from_attribute;
  std::string from_context;
  config::Value default_value;
  std::string pattern;
  std::string converted_type;
};

inline constexpr auto kAttributeActionFields = config::fields<AttributeAction>(
    config::field("key", &AttributeAction::key, "The attribute that is acted upon."),
    config::field("action", &AttributeAction::action,
                  "insert, update, upsert, delete, hash, extract or convert.", {.required = true}),
    config::field("value", &AttributeAction::value, "insert, update, upsert: the new value."),
    config::field("from_attribute", &AttributeAction::from_attribute,
                  "insert, update, upsert: the attribute whose value is taken."),
    config::field("from_context", &AttributeAction::from_context,
                  "insert, update, upsert: metadata.NAME, auth.NAME or client.address of the "
                  "request; several values are joined by \";\"."),
    config::field("default_value", &AttributeAction::default_value,
                  "What is taken where from_attribute or from_context find nothing."),
    config::field("pattern", &AttributeAction::pattern,
                  "delete, hash: every key that matches. extract: named groups that become "
                  "attributes."),
    config::field("converted_type", &AttributeAction::converted_type,
                  "convert: int, double or string."));

class AttributeActions {
 public:
  // An error names the action by its number and says what is wrong with it.
  static Result<AttributeActions> make(std::span<const AttributeAction> actions);
  bool empty() const { return actions_.empty(); }
  // `context` is that of the request, or null.
  void apply(MessageEdit& attributes, const RequestContext* context);

 private:
  enum class Kind : uint8_t { Insert, Update, Upsert, Delete, Hash, Extract, Convert };
  enum class Target : uint8_t { String, Int, Double };
  struct Action {
    Kind kind = Kind::Insert;
    Target target = Target::String;
    std::string key;
    std::optional<std::string> value;  // The bytes of an AnyValue.
    std::optional<std::string> fallback;
    std::string from_attribute;
    std::string from_context;
    std::optional<Regex> pattern;
  };

  static Result<Action> prepare(const AttributeAction& action);
  void put(const Action& action, MessageEdit& attributes, const RequestContext* context);
  void hash(const AnyValueView& value);  // Into scratch_.
  void hash_key(std::string_view key, MessageEdit& attributes);
  void hash_matching(const Regex& pattern, MessageEdit& attributes);
  void extract(const Action& action, MessageEdit& attributes);
  void convert(const Action& action, MessageEdit& attributes);

  std::vector<Action> actions_;
  std::string scratch_;
  std::vector<std::string_view> groups_;
};

// What `metadata.NAME`, `auth.NAME`, `client.address` or a bare name of metadata stands for in a
// request. False where it has nothing of that name.
bool context_value(const RequestContext* context, std::string_view name, std::string& out);

}  // namespace sonde::pipeline
