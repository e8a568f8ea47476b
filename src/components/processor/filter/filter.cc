// SPDX-License-Identifier: Apache-2.0
//
// The processor `filter` in its strict and regexp forms: drops spans, log records, metrics and
// whole resources that `include` does not or `exclude` does match. Conditions in OTTL are refused
// by name: a filter that let everything through would be worse than none. What it drops is counted.
#include <cctype>
#include <charconv>

#include "base/counters.h"
#include "pipeline/editing_processor.h"
#include "pipeline/match/item_match.h"

namespace sonde {
namespace {

using pipeline::AttributeMatch;
using pipeline::AttributesMatcher;
using pipeline::ItemSelector;
using pipeline::MatchProperties;
using pipeline::MatchSettings;

struct MetricMatch {
  std::string match_type;
  std::optional<pipeline::RegexpOptions> regexp;
  std::vector<std::string> metric_names;
  std::vector<std::string> expressions;
  std::vector<AttributeMatch> resource_attributes;
};
struct SeverityName {
  std::string min;
  bool match_undefined = false;
};
struct LogMatch {
  std::string match_type;
  std::vector<AttributeMatch> resource_attributes;
  std::vector<AttributeMatch> record_attributes;
  std::vector<std::string> severity_texts;
  std::optional<SeverityName> severity_number;
  std::vector<std::string> bodies;

  bool only_severity() const {
    return resource_attributes.empty() && record_attributes.empty() && severity_texts.empty() &&
           bodies.empty();
  }
  bool empty() const { return only_severity() && !severity_number; }
};
using Conditions = std::vector<std::string>;
struct MetricFilters {
  std::optional<MetricMatch> include, exclude;
  std::optional<pipeline::RegexpOptions> regexp;
  Conditions resource, metric, datapoint;
};
struct LogFilters {
  std::optional<LogMatch> include, exclude;
  Conditions resource, log_record;
};
struct TraceFilters {
  Conditions resource, span, spanevent;
};

constexpr std::string_view kCondition = "Conditions in OTTL. Refused for now.";

constexpr auto kMetricMatchFields = config::fields<MetricMatch>(
    config::field("match_type", &MetricMatch::match_type,
                  "How names are compared: strict or regexp. expr is refused."),
    config::field("regexp", &MetricMatch::regexp, pipeline::kRegexpOptionsFields.table(),
                  "Options of match_type regexp."),
    config::field("metric_names", &MetricMatch::metric_names, "One of these must be met."),
    config::field("expressions", &MetricMatch::expressions, "Of match_type expr: refused."),
    config::field("resource_attributes", &MetricMatch::resource_attributes,
                  pipeline::kAttributeMatchFields.table(),
                  "Attributes that the resource must all have."));
constexpr auto kSeverityNameFields = config::fields<SeverityName>(
    config::field("min", &SeverityName::min, "The lowest severity: INFO, WARN2, or a number."),
    config::field("match_undefined", &SeverityName::match_undefined,
                  "Whether records without a severity match."));
constexpr auto kLogMatchFields = config::fields<LogMatch>(
    config::field("match_type", &LogMatch::match_type, "How texts are compared: strict or regexp."),
    config::field("resource_attributes", &LogMatch::resource_attributes,
                  pipeline::kAttributeMatchFields.table(), "The resource must have them all."),
    config::field("record_attributes", &LogMatch::record_attributes,
                  pipeline::kAttributeMatchFields.table(), "The record must have them all."),
    config::field("severity_texts", &LogMatch::severity_texts, "One of these must be met."),
    config::field("severity_number", &LogMatch::severity_number, kSeverityNameFields.table(),
                  "How severe records must be."),
    config::field("bodies", &LogMatch::bodies, "One of these must be met."));
constexpr auto kMetricFields = config::fields<MetricFilters>(
    config::field("include", &MetricFilters::include, kMetricMatchFields.table(),
                  "Only metrics that match are kept.", {.pointer = true}),
    config::field("exclude", &MetricFilters::exclude, kMetricMatchFields.table(),
                  "Metrics that match are dropped.", {.pointer = true}),
    config::field("regexp", &MetricFilters::regexp, pipeline::kRegexpOptionsFields.table(),
                  "Options of match_type regexp."),
    config::field("resource", &MetricFilters::resource, kCondition),
    config::field("metric", &MetricFilters::metric, kCondition),
    config::field("datapoint", &MetricFilters::datapoint, kCondition));
constexpr auto kLogFields = config::fields<LogFilters>(
    config::field("include", &LogFilters::include, kLogMatchFields.table(),
                  "Only records that match are kept.", {.pointer = true}),
    config::field("exclude", &LogFilters::exclude, kLogMatchFields.table(),
                  "Records that match are dropped.", {.pointer = true}),
    config::field("resource", &LogFilters::resource, kCondition),
    config::field("log_record", &LogFilters::log_record, kCondition));
constexpr auto kTraceFields =
    config::fields<TraceFilters>(config::field("resource", &TraceFilters::resource, kCondition),
                                 config::field("span", &TraceFilters::span, kCondition),
                                 config::field("spanevent", &TraceFilters::spanevent, kCondition));

std::unexpected<Error> no_ottl(std::string_view where) {
  return fail(ErrorKind::Invalid,
              std::string(where) +
                  ": conditions in OTTL are not understood yet; include and exclude with "
                  "match_type strict or regexp are");
}

// "info" and "9" are 9, "" is 0.
Result<int32_t> severity_of(std::string_view text) {
  if (text.empty()) return 0;
  int32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && number >= 1 && number <= 24)
    return number;
  std::string upper(text);
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  constexpr std::string_view kNames[] = {"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"};
  for (int32_t i = 0; i < 6; ++i) {
    if (!upper.starts_with(kNames[i])) continue;
    const std::string_view rest = std::string_view(upper).substr(kNames[i].size());
    if (rest.empty()) return i * 4 + 1;
    if (rest.size() == 1 && rest[0] >= '2' && rest[0] <= '4') return i * 4 + (rest[0] - '0');
  }
  return fail(ErrorKind::Invalid, "severity_number::min: \"" + std::string(text) +
                                      "\" is no severity; TRACE, DEBUG, INFO, WARN, ERROR and "
                                      "FATAL are, with 2, 3 or 4 behind, and 1 to 24");
}

Result<std::optional<MatchProperties>> properties_of(const std::optional<LogMatch>& log) {
  if (!log || log->empty()) return std::optional<MatchProperties>();
  MatchProperties out;
  out.match_type = log->match_type;
  // A severity is a number: nothing is compared as text.
  if (out.match_type.empty() && log->only_severity()) out.match_type = "strict";
  out.resources = log->resource_attributes;
  out.attributes = log->record_attributes;
  out.log_severity_texts = log->severity_texts;
  out.log_bodies = log->bodies;
  if (log->severity_number) {
    out.log_severity_number = pipeline::SeverityMatch{TRY(severity_of(log->severity_number->min)),
                                                      log->severity_number->match_undefined};
  }
  return std::optional(std::move(out));
}

Result<std::optional<MatchProperties>> properties_of(const std::optional<MetricMatch>& metric) {
  if (!metric) return std::optional<MatchProperties>();
  if (metric->match_type == "expr" || !metric->expressions.empty()) {
    return fail(ErrorKind::Invalid,
                "metrics: match_type expr and expressions are not understood; strict and regexp "
                "are");
  }
  if (metric->metric_names.empty()) return std::optional<MatchProperties>();
  MatchProperties out;
  out.match_type = metric->match_type;
  out.metric_names = metric->metric_names;
  return std::optional(std::move(out));
}

// Resources by their attributes alone: what the filters of metrics do first.
struct ResourceFilter {
  AttributesMatcher include, exclude;
  bool keeps(ResourceEdit& resource) {
    if (!include.empty() && !include.matches(resource.message())) return false;
    return exclude.empty() || !exclude.matches(resource.message());
  }
};

struct Filters {
  ItemSelector spans, logs, metrics;
  ResourceFilter resources;
};

struct Config {
  std::string error_mode = "ignore";
  MatchSettings spans;
  MetricFilters metrics;
  LogFilters logs;
  TraceFilters traces;
  config::Value trace_conditions, metric_conditions, log_conditions;

  // What is wanted of a pipeline: what is said of other signals is not looked at.
  Result<Filters> filters(pipeline::Signals wanted) const {
    Filters out;
    if (wanted.traces) {
      TRY(ItemSelector::fits(spans, Signal::Traces));
      out.spans = TRY(ItemSelector::make(spans));
    }
    if (wanted.logs) {
      out.logs = TRY(
          ItemSelector::make({TRY(properties_of(logs.include)), TRY(properties_of(logs.exclude))}));
    }
    if (!wanted.metrics) return out;
    out.metrics = TRY(ItemSelector::make(
        {TRY(properties_of(metrics.include)), TRY(properties_of(metrics.exclude))}));
    const auto resources = [](const std::optional<MetricMatch>& from) -> Result<AttributesMatcher> {
      if (!from) return AttributesMatcher();
      return AttributesMatcher::make(from->resource_attributes, from->match_type);
    };
    out.resources.include = TRY(resources(metrics.include));
    out.resources.exclude = TRY(resources(metrics.exclude));
    return out;
  }

  Result<> validate() const {
    TRY(refuse_conditions());
    for (const auto* match : {&logs.include, &logs.exclude}) {
      if (*match && (*match)->severity_number)
        (void)TRY(severity_of((*match)->severity_number->min));
    }
    return {};
  }
  Result<> validate_for(Signal signal) const {
    (void)TRY(filters({.traces = signal == Signal::Traces,
                       .metrics = signal == Signal::Metrics,
                       .logs = signal == Signal::Logs}));
    return {};
  }

 private:
  Result<> refuse_conditions() const {
    const std::pair<std::string_view, const Conditions*> all[] = {
        {"traces::resource", &traces.resource},   {"traces::span", &traces.span},
        {"traces::spanevent", &traces.spanevent}, {"metrics::resource", &metrics.resource},
        {"metrics::metric", &metrics.metric},     {"metrics::datapoint", &metrics.datapoint},
        {"logs::resource", &logs.resource},       {"logs::log_record", &logs.log_record}};
    for (const auto& [name, conditions] : all)
      if (!conditions->empty()) return no_ottl(name);
    if (!trace_conditions.is_null()) return no_ottl("trace_conditions");
    if (!metric_conditions.is_null()) return no_ottl("metric_conditions");
    if (!log_conditions.is_null()) return no_ottl("log_conditions");
    return {};
  }
};

constexpr auto kFields = config::fields<Config>(
    config::field("error_mode", &Config::error_mode,
                  "What an error in a condition does. Nothing here can err.",
                  {.choices = "ignore|silent|propagate", .any_case = true}),
    config::field("spans", &Config::spans, pipeline::kMatchFields.table(), "Which spans stay."),
    config::field("metrics", &Config::metrics, kMetricFields.table(), "Which metrics stay."),
    config::field("logs", &Config::logs, kLogFields.table(), "Which log records stay."),
    config::field("traces", &Config::traces, kTraceFields.table(), kCondition),
    config::field("trace_conditions", &Config::trace_conditions, kCondition),
    config::field("metric_conditions", &Config::metric_conditions, kCondition),
    config::field("log_conditions", &Config::log_conditions, kCondition));

class FilterProcessor final : public pipeline::EditingProcessor {
 public:
  FilterProcessor(const Config& config, std::string_view id, pipeline::Outputs outputs)
      : EditingProcessor(id, outputs) {
    auto made = config.filters({.traces = outputs.traces != nullptr,
                                .metrics = outputs.metrics != nullptr,
                                .logs = outputs.logs != nullptr});
    if (made) {
      filters_ = std::move(*made);
    } else {
      wrong_ = std::move(made.error());
    }
  }
  // What validate_for() says before, where somebody asks it.
  Result<> start(pipeline::Host&) override {
    if (wrong_) return std::unexpected(*wrong_);
    return {};
  }

 private:
  bool resource(ResourceEdit& resource) override {
    return outputs().metrics == nullptr || filters_.resources.keeps(resource);
  }
  bool span(SpanEdit& span, Owners& owners) override {
    return filters_.spans.selects(span, owners);
  }
  bool log(LogEdit& log, Owners& owners) override { return filters_.logs.selects(log, owners); }
  bool metric(MetricEdit& metric, Owners& owners) override {
    return filters_.metrics.selects(metric, owners);
  }

  void count_dropped(Signal signal, size_t dropped) override {
    const std::string_view word = signal == Signal::Traces    ? "spans"
                                  : signal == Signal::Metrics ? "datapoints"
                                                              : "logs";
    counter("otelcol_processor_filter_" + std::string(word) + "_filtered",
            "Items that the processor filter dropped.", {{"filter", id()}})
        .add(dropped);
  }

  Filters filters_;
  std::optional<Error> wrong_;
};

}  // namespace
}  // namespace sonde

SONDE_COMPONENT(processor, filter) {
  using namespace sonde;
  return pipeline::make_type<FilterProcessor, Config>(
      {.kind = pipeline::Kind::Processor,
       .name = "filter",
       .summary = "Drops spans, metrics and log records by their names and attributes.",
       .in = pipeline::kStableSignals,
       .out = pipeline::kStableSignals,
       .placement = pipeline::Placement::Replicated,
       .stability = "alpha"},
      kFields.table());
}
