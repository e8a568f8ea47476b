// SPDX-License-Identifier: Apache-2.0
#include "pipeline/match/item_match.h"

#include <algorithm>

#include "pipeline/match/setting_value.h"

namespace sonde::pipeline {
namespace {

// What a service without a name is called when names are compared.
constexpr std::string_view kNoService = "<nil-service-name>";

std::string_view kind_text(SpanKind kind) {
  switch (kind) {
    case SpanKind::Internal:
      return "SPAN_KIND_INTERNAL";
    case SpanKind::Server:
      return "SPAN_KIND_SERVER";
    case SpanKind::Client:
      return "SPAN_KIND_CLIENT";
    case SpanKind::Producer:
      return "SPAN_KIND_PRODUCER";
    case SpanKind::Consumer:
      return "SPAN_KIND_CONSUMER";
    case SpanKind::Unspecified:
      break;
  }
  return {};
}

bool is_kind(std::string_view text) {
  for (int kind = 1; kind <= 5; ++kind)
    if (kind_text(static_cast<SpanKind>(kind)) == text) return true;
  return false;
}

Result<std::optional<TextFilter>> filter_of(const std::vector<std::string>& texts,
                                            std::string_view match_type) {
  if (texts.empty()) return std::optional<TextFilter>();
  return std::optional<TextFilter>(TRY(TextFilter::make(texts, match_type)));
}

bool passes(const std::optional<TextFilter>& filter, const AnyValueView& value) {
  if (!filter) return true;
  return value.is_string() ? filter->matches(value.as_string())
                           : filter->matches(value.to_string());
}

uint64_t number_field(MessageEdit& message, uint32_t number) {
  const auto field = message.field(number);
  return field && field->type == proto::Type::Varint ? field->value : 0;
}

std::unexpected<Error> unfit(std::string_view what) {
  return fail(ErrorKind::Invalid, std::string(what));
}

Result<> fits_one(const MatchProperties& p, Signal signal) {
  const bool of_all = !p.attributes.empty() || !p.libraries.empty() || !p.resources.empty();
  const bool of_spans = !p.services.empty() || !p.span_names.empty() || !p.span_kinds.empty();
  const bool of_logs =
      !p.log_bodies.empty() || !p.log_severity_texts.empty() || p.log_severity_number.has_value();
  const bool of_metrics = !p.metric_names.empty();
  if (signal != Signal::Logs && of_logs)
    return unfit("log_bodies, log_severity_texts and log_severity_number are of logs");
  if (signal != Signal::Metrics && of_metrics) return unfit("metric_names are of metrics");
  if (signal != Signal::Traces && of_spans)
    return unfit("services, span_names and span_kinds are of spans");
  if (signal == Signal::Metrics) {
    if (!p.attributes.empty() || !p.libraries.empty())
      return unfit("attributes and libraries are of spans and logs");
    if (!of_metrics && p.resources.empty())
      return unfit("give at least one of metric_names and resources");
    return {};
  }
  if (of_all || of_spans || of_logs) return {};
  return unfit(signal == Signal::Traces
                   ? "give at least one of services, span_names, span_kinds, attributes, "
                     "resources and libraries"
                   : "give at least one of log_bodies, log_severity_texts, log_severity_number, "
                     "attributes, resources and libraries");
}

}  // namespace

Result<ItemMatcher> ItemMatcher::make(const MatchProperties& p) {
  const bool regexp = TRY(is_regexp(p.match_type));
  for (const std::string& kind : p.span_kinds) {
    if (!regexp && !is_kind(kind)) {
      return fail(ErrorKind::Invalid,
                  "span_kinds: \"" + kind +
                      "\" is none of SPAN_KIND_INTERNAL, SPAN_KIND_SERVER, "
                      "SPAN_KIND_CLIENT, SPAN_KIND_PRODUCER and SPAN_KIND_CONSUMER");
    }
  }
  ItemMatcher matcher;
  matcher.services_ = TRY(filter_of(p.services, p.match_type));
  matcher.span_names_ = TRY(filter_of(p.span_names, p.match_type));
  matcher.span_kinds_ = TRY(filter_of(p.span_kinds, p.match_type));
  matcher.log_bodies_ = TRY(filter_of(p.log_bodies, p.match_type));
  matcher.severity_texts_ = TRY(filter_of(p.log_severity_texts, p.match_type));
  matcher.severity_ = p.log_severity_number;
  matcher.metric_names_ = TRY(filter_of(p.metric_names, p.match_type));
  matcher.attributes_ = TRY(AttributesMatcher::make(p.attributes, p.match_type));
  matcher.resources_ = TRY(AttributesMatcher::make(p.resources, p.match_type));
  for (const LibraryMatch& library : p.libraries) {
    Library made;
    made.name = TRY(TextFilter::make(std::span(&library.name, 1), p.match_type));
    if (library.version)
      made.version = TRY(TextFilter::make(std::span(&*library.version, 1), p.match_type));
    matcher.libraries_.push_back(std::move(made));
  }
  return matcher;
}

bool ItemMatcher::resource_matches(MessageEdit& resource) {
  if (!services_ && resources_.empty()) return true;
  if (resource_version_ == resource.version()) return resource_answer_;
  resource_version_ = resource.version();
  const auto service = services_ ? resource.get("service.name") : std::nullopt;
  resource_answer_ =
      (!services_ || (service ? passes(services_, *service) : services_->matches(kNoService))) &&
      resources_.matches(resource);
  return resource_answer_;
}

bool ItemMatcher::scope_and_attributes_match(MessageEdit& attributes, Owners& owners) {
  for (const Library& library : libraries_) {
    if (!library.name.matches(owners.scope.name())) return false;
    if (library.version && !library.version->matches(owners.scope.version())) return false;
  }
  return attributes_.matches(attributes);
}

bool ItemMatcher::matches(SpanEdit& span, Owners& owners) {
  if (!resource_matches(owners.resource.message())) return false;
  if (span_names_ && !span_names_->matches(span.name())) return false;
  if (span_kinds_) {
    const uint64_t kind = number_field(span.message(), otlp::span::kKind);
    if (!span_kinds_->matches(
            kind_text(kind <= 5 ? static_cast<SpanKind>(kind) : SpanKind::Unspecified)))
      return false;
  }
  return scope_and_attributes_match(span.attributes(), owners);
}

bool ItemMatcher::matches(LogEdit& log, Owners& owners) {
  if (!resource_matches(owners.resource.message())) return false;
  if (!passes(log_bodies_, log.body())) return false;
  if (severity_texts_ &&
      !severity_texts_->matches(log.message().bytes_field(otlp::log::kSeverityText)))
    return false;
  if (severity_) {
    const uint64_t severity = number_field(log.message(), otlp::log::kSeverityNumber);
    if (severity == 0 ? !severity_->match_undefined
                      : severity < static_cast<uint64_t>(severity_->min))
      return false;
  }
  return scope_and_attributes_match(log.attributes(), owners);
}

bool ItemMatcher::matches(MetricEdit& metric, Owners&) {
  return !metric_names_ || metric_names_->matches(metric.name());
}

Result<ItemSelector> ItemSelector::make(const MatchSettings& settings) {
  ItemSelector selector;
  const auto one = [](std::string_view name, const std::optional<MatchProperties>& from,
                      std::optional<ItemMatcher>& to) -> Result<> {
    if (!from) return {};
    auto made = ItemMatcher::make(*from);
    if (!made) return std::unexpected(at(name, std::move(made.error())));
    to = std::move(*made);
    return {};
  };
  TRY(one("include", settings.include, selector.include_));
  TRY(one("exclude", settings.exclude, selector.exclude_));
  return selector;
}

Result<> ItemSelector::fits(const MatchSettings& settings, Signal signal) {
  if (settings.include)
    if (auto fit = fits_one(*settings.include, signal); !fit)
      return std::unexpected(at("include", std::move(fit.error())));
  if (settings.exclude)
    if (auto fit = fits_one(*settings.exclude, signal); !fit)
      return std::unexpected(at("exclude", std::move(fit.error())));
  return {};
}

}  // namespace sonde::pipeline
