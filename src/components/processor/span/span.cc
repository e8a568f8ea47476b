// SPDX-License-Identifier: Apache-2.0
//
// The processor `span`: renames spans from their attributes, takes attributes out of their names,
// and sets their status, of those that `include` and `exclude` select.
#include "data/edit.h"
#include "pipeline/editing_processor.h"
#include "pipeline/match/item_match.h"
#include "pipeline/match/setting_value.h"

namespace sonde {
namespace {

using pipeline::ItemSelector;

struct ToAttributes {
  std::vector<std::string> rules;
  bool break_after_match = false;
  bool keep_original_name = false;
};
struct Name {
  std::vector<std::string> from_attributes;
  std::string separator;
  std::optional<ToAttributes> to_attributes;
};
struct Status {
  std::string code;
  std::string description;
};

Result<std::vector<Regex>> compile(const Name& name) {
  std::vector<Regex> rules;
  if (!name.to_attributes) return rules;
  if (name.to_attributes->rules.empty())
    return fail(ErrorKind::Invalid, "name::to_attributes::rules: give at least one");
  for (const std::string& rule : name.to_attributes->rules) {
    auto regex = Regex::compile(rule);
    if (!regex) return std::unexpected(at("name::to_attributes::rules", std::move(regex.error())));
    rules.push_back(std::move(*regex));
  }
  return rules;
}

struct Config {
  pipeline::MatchSettings match;
  Name name;
  std::optional<Status> status;

  Result<> validate() const {
    if (name.from_attributes.empty() && !name.to_attributes && !status) {
      return fail(ErrorKind::Invalid,
                  "give name::from_attributes, name::to_attributes or status::code");
    }
    if (status && status->code != "Ok" && status->code != "Error" && status->code != "Unset")
      return fail(ErrorKind::Invalid, "status::code: it must be Ok, Error or Unset");
    if (status && status->code != "Error" && !status->description.empty())
      return fail(ErrorKind::Invalid, "status::description: it goes with the code Error only");
    (void)TRY(compile(name));
    (void)TRY(ItemSelector::make(match));
    return ItemSelector::fits(match, Signal::Traces);
  }
};

constexpr auto kToAttributesFields = config::fields<ToAttributes>(
    config::field("rules", &ToAttributes::rules,
                  "Expressions for the name: each named group becomes an attribute, and its name "
                  "in braces takes its place."),
    config::field("break_after_match", &ToAttributes::break_after_match,
                  "Whether the first rule that matches is the last."),
    config::field("keep_original_name", &ToAttributes::keep_original_name,
                  "Whether the name stays as it is."));
constexpr auto kNameFields = config::fields<Name>(
    config::field("from_attributes", &Name::from_attributes,
                  "The name becomes the values of these, where all are there."),
    config::field("separator", &Name::separator, "What stands between the values."),
    config::field("to_attributes", &Name::to_attributes, kToAttributesFields.table(),
                  "Attributes that are taken out of the name."));
constexpr auto kStatusFields = config::fields<Status>(
    config::field("code", &Status::code, "Ok, Error or Unset."),
    config::field("description", &Status::description, "The message of an error."));
constexpr auto kFields = config::fields<Config>(
    config::embed(&Config::match, pipeline::kMatchFields.table()),
    config::field("name", &Config::name, kNameFields.table(), "What happens to the name."),
    config::field("status", &Config::status, kStatusFields.table(), "The status that is set.",
                  {.pointer = true}));

class SpanProcessor final : public pipeline::EditingProcessor {
 public:
  SpanProcessor(const Config& config, std::string_view id, pipeline::Outputs outputs)
      : EditingProcessor(id, outputs),
        config_(config),
        rules_(*compile(config.name)),
        selector_(*ItemSelector::make(config.match)) {
    size_t most = 0;
    for (const Regex& rule : rules_) most = std::max(most, rule.group_count());
    groups_.resize(most + 1);
  }

 private:
  bool span(SpanEdit& span, Owners& owners) override {
    if (!selector_.selects(span, owners)) return true;
    if (!config_.name.from_attributes.empty()) name_from_attributes(span);
    for (const Regex& rule : rules_) {
      if (apply(rule, span) && config_.name.to_attributes->break_after_match) break;
    }
    if (config_.status) set_status(span);
    return true;
  }

  void name_from_attributes(SpanEdit& span) {
    name_.clear();
    bool first = true;
    for (const std::string& key : config_.name.from_attributes) {
      const auto value = span.attributes().get(key);
      if (!value) return;
      if (!first) name_ += config_.name.separator;
      first = false;
      std::string_view text = "<unknown-attribute-type>";
      pipeline::scalar_text(*value, scratch_, text);
      name_ += text;
    }
    span.set_name(name_);
  }

  bool apply(const Regex& rule, SpanEdit& span) {
    old_name_ = span.name();  // It outlives the changes.
    if (old_name_.empty()) return false;
    const std::span<std::string_view> groups(groups_.data(), rule.group_count() + 1);
    if (!rule.find(old_name_, groups)) return false;
    name_.clear();
    size_t done = 0;
    for (size_t i = 0; i < rule.group_count(); ++i) {
      const std::string& key = rule.group_names()[i];
      const std::string_view group = groups[i + 1];
      span.attributes().set(key, group);
      if (group.data() == nullptr) continue;
      // A group within another has its place taken already.
      const auto begin = static_cast<size_t>(group.data() - old_name_.data());
      if (begin < done) continue;
      name_.append(old_name_, done, begin - done).append("{").append(key).append("}");
      done = begin + group.size();
    }
    name_.append(old_name_, done);
    if (!config_.name.to_attributes->keep_original_name) span.set_name(name_);
    return true;
  }

  void set_status(SpanEdit& span) {
    const Status& status = *config_.status;
    if (status.code == "Ok") span.set_status(StatusCode::Ok, {});
    if (status.code == "Error") span.set_status(StatusCode::Error, status.description);
    if (status.code == "Unset") span.set_status(StatusCode::Unset, {});
  }

  const Config config_;
  const std::vector<Regex> rules_;
  ItemSelector selector_;
  std::vector<std::string_view> groups_;
  std::string name_;
  std::string old_name_;
  std::string scratch_;
};

}  // namespace
}  // namespace sonde

SONDE_COMPONENT(processor, span) {
  using namespace sonde;
  return pipeline::make_type<SpanProcessor, Config>(
      {.kind = pipeline::Kind::Processor,
       .name = "span",
       .summary = "Renames spans from and to attributes, and sets their status.",
       .in = pipeline::kTraces,
       .out = pipeline::kTraces,
       .placement = pipeline::Placement::Replicated,
       .stability = "alpha"},
      kFields.table());
}
