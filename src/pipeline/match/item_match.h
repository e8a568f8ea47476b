// SPDX-License-Identifier: Apache-2.0
// `include` and `exclude` as the processors attributes, span and filter take them: properties of an
// item, its scope and its resource, of which all that are given must be met. What can be said of a
// log record cannot be said of a span, so fits() is asked once the signal is known.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/field.h"
#include "data/edit.h"
#include "pipeline/match/attribute_match.h"
#include "pipeline/match/text_filter.h"

namespace sonde::pipeline {

struct LibraryMatch {
  std::string name;
  std::optional<std::string> version;
};

struct SeverityMatch {
  int32_t min = 0;  // 1 to 24, the numbers of OTLP.
  bool match_undefined = false;
};

// RE2 is fast without a cache of earlier answers: taken, and without effect.
struct RegexpOptions {
  bool cacheenabled = false;
  int64_t cachemaxnumentries = 0;
};

struct MatchProperties {
  std::string match_type;
  std::optional<RegexpOptions> regexp;
  std::vector<std::string> services;
  std::vector<std::string> span_names;
  std::vector<std::string> span_kinds;
  std::vector<std::string> log_bodies;
  std::vector<std::string> log_severity_texts;
  std::optional<SeverityMatch> log_severity_number;
  std::vector<std::string> metric_names;
  std::vector<AttributeMatch> attributes;
  std::vector<AttributeMatch> resources;
  std::vector<LibraryMatch> libraries;
};

struct MatchSettings {
  std::optional<MatchProperties> include;
  std::optional<MatchProperties> exclude;
};

inline constexpr auto kLibraryMatchFields = config::fields<LibraryMatch>(
    config::field("name", &LibraryMatch::name, "The name of the scope."),
    config::field("version", &LibraryMatch::version, "Its version; any where absent."));
inline constexpr auto kSeverityMatchFields = config::fields<SeverityMatch>(
    config::field("min", &SeverityMatch::min, "The lowest severity that matches, as a number.",
                  {.min = 0, .max = 24}),
    config::field("match_undefined", &SeverityMatch::match_undefined,
                  "Whether records without a severity match."));
inline constexpr auto kRegexpOptionsFields = config::fields<RegexpOptions>(
    config::field("cacheenabled", &RegexpOptions::cacheenabled,
                  "Accepted for the Collector's sake; expressions need no cache here."),
    config::field("cachemaxnumentries", &RegexpOptions::cachemaxnumentries,
                  "Accepted for the Collector's sake.", {.min = 0}));
inline constexpr auto kMatchPropertiesFields = config::fields<MatchProperties>(
    config::field("match_type", &MatchProperties::match_type,
                  "How texts are compared: exactly, or as regular expressions.",
                  {.choices = "strict|regexp", .required = true}),
    config::field("regexp", &MatchProperties::regexp, kRegexpOptionsFields.table(),
                  "Options of match_type regexp."),
    config::field("services", &MatchProperties::services,
                  "Spans: service.name must be one of these."),
    config::field("span_names", &MatchProperties::span_names,
                  "Spans: the name must be one of these."),
    config::field("span_kinds", &MatchProperties::span_kinds,
                  "Spans: the kind must be one of these, as SPAN_KIND_SERVER."),
    config::field("log_bodies", &MatchProperties::log_bodies,
                  "Logs: the body, as text, must be one of these."),
    config::field("log_severity_texts", &MatchProperties::log_severity_texts,
                  "Logs: the severity text must be one of these."),
    config::field("log_severity_number", &MatchProperties::log_severity_number,
                  kSeverityMatchFields.table(), "Logs: how severe they must be."),
    config::field("metric_names", &MatchProperties::metric_names,
                  "Metrics: the name must be one of these."),
    config::field("attributes", &MatchProperties::attributes, kAttributeMatchFields.table(),
                  "Attributes that an item must all have. Not for metrics."),
    config::field("resources", &MatchProperties::resources, kAttributeMatchFields.table(),
                  "Attributes that its resource must all have. Not for metrics."),
    config::field("libraries", &MatchProperties::libraries, kLibraryMatchFields.table(),
                  "What its scope must all be. Not for metrics."));
inline constexpr auto kMatchFields = config::fields<MatchSettings>(
    config::field("include", &MatchSettings::include, kMatchPropertiesFields.table(),
                  "Only what matches this is processed; everything where absent.",
                  {.pointer = true}),
    config::field("exclude", &MatchSettings::exclude, kMatchPropertiesFields.table(),
                  "What matches this is not processed.", {.pointer = true}));

// One of the two. It remembers the last resource, so that its attributes are looked at once.
class ItemMatcher {
 public:
  static Result<ItemMatcher> make(const MatchProperties& properties);
  bool matches(SpanEdit& span, Owners& owners);
  bool matches(LogEdit& log, Owners& owners);
  bool matches(MetricEdit& metric, Owners& owners);
  // As in the Collector, a metric is judged by its name alone; without names it is not judged.
  bool judges(const MetricEdit&) const { return metric_names_.has_value(); }
  bool judges(const TypedEdit&) const { return true; }

 private:
  bool resource_matches(MessageEdit& resource);
  bool scope_and_attributes_match(MessageEdit& attributes, Owners& owners);

  struct Library {
    TextFilter name;
    std::optional<TextFilter> version;
  };
  std::optional<TextFilter> services_;
  std::optional<TextFilter> span_names_;
  std::optional<TextFilter> span_kinds_;
  std::optional<TextFilter> log_bodies_;
  std::optional<TextFilter> severity_texts_;
  std::optional<SeverityMatch> severity_;
  std::optional<TextFilter> metric_names_;
  std::vector<Library> libraries_;
  AttributesMatcher attributes_;
  AttributesMatcher resources_;
  uint64_t resource_version_ = UINT64_MAX;
  bool resource_answer_ = false;
};

class ItemSelector {
 public:
  static Result<ItemSelector> make(const MatchSettings& settings);
  // Whether the settings can be meant for such items.
  static Result<> fits(const MatchSettings& settings, Signal signal);

  // Whether the item is to be processed.
  template <class Edit>
  bool selects(Edit& edit, Owners& owners) {
    if (include_ && include_->judges(edit) && !include_->matches(edit, owners)) return false;
    return !exclude_ || !exclude_->judges(edit) || !exclude_->matches(edit, owners);
  }

 private:
  std::optional<ItemMatcher> include_;
  std::optional<ItemMatcher> exclude_;
};

}  // namespace sonde::pipeline
