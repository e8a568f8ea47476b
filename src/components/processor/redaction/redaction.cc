// SPDX-License-Identifier: Apache-2.0
//
// The processor `redaction`: takes away every attribute whose key is not allowed, and masks values
// that must not be seen, on resources, scopes, spans, events, records and data points. It fails
// closed: without allowed keys nothing is allowed. URLs and queries of databases can be kept
// without what identifies: sanitizers.h.
#include <algorithm>

#include "base/log.h"
#include "components/processor/redaction/redactor.h"
#include "pipeline/editing_processor.h"

namespace sonde {
namespace {

using redaction::Redactor;
using redaction::Settings;

struct Config : Settings {
  Result<> validate() const {
    (void)TRY(Redactor::make(*this));
    return {};
  }
};

constexpr auto kFields = config::fields<Config>(
    config::field("allow_all_keys", &Config::allow_all_keys,
                  "Whether every key stays; values are masked all the same."),
    config::field("allowed_keys", &Config::allowed_keys, "The keys that stay."),
    config::field("ignored_keys", &Config::ignored_keys, "Keys that stay, unlooked at."),
    config::field("ignored_key_patterns", &Config::ignored_key_patterns,
                  "Expressions for such keys."),
    config::field("blocked_key_patterns", &Config::blocked_key_patterns,
                  "Expressions for keys whose whole value is masked."),
    config::field("blocked_values", &Config::blocked_values,
                  "Expressions for the parts of values that are masked."),
    config::field("allowed_values", &Config::allowed_values,
                  "Expressions for values that stay, whatever blocks them."),
    config::field("hash_function", &Config::hash_function,
                  "What stands for a masked part: its hash; **** where it is not given.",
                  {.choices = "|md5|sha1|sha3|hmac-sha256|hmac-sha512", .any_case = true}),
    config::field("hmac_key", &Config::hmac_key, "The key of a keyed hash.", {.secret = true}),
    config::field("redact_all_types", &Config::redact_all_types,
                  "Whether numbers and other values are looked at as text."),
    config::field("summary", &Config::summary,
                  "Whether attributes tell what was done: info, counts; debug, keys too; silent."),
    config::field("url_sanitizer", &Config::url, redaction::kUrlFields.table(),
                  "Takes ids and parameters out of URLs."),
    config::field("db_sanitizer", &Config::database, redaction::kDatabaseFields.table(),
                  "Takes values out of queries of databases."));

constexpr std::string_view kSummaries[] = {"", "debug", "info", "silent"};

class RedactionProcessor final : public pipeline::EditingProcessor {
 public:
  RedactionProcessor(const Config& config, std::string_view id, pipeline::Outputs outputs)
      : EditingProcessor(id, outputs), redactor_(*Redactor::make(config, outputs.logs != nullptr)) {
    const std::string_view summary = config.summary;
    if (std::ranges::find(kSummaries, summary) == std::end(kSummaries)) unknown_summary_ = summary;
  }

  Result<> start(pipeline::Host&) override {
    if (!unknown_summary_.empty()) {
      log_warn("{}: summary: {} is none of debug, info and silent; nothing is told", id(),
               unknown_summary_);
    }
    return {};
  }

 private:
  bool resource(ResourceEdit& resource) override {
    redactor_.attributes(resource.attributes());
    return true;
  }
  bool scope(ScopeEdit& scope, ResourceEdit&) override {
    redactor_.attributes(scope.attributes());
    return true;
  }
  bool span(SpanEdit& span, Owners&) override {
    redactor_.attributes(span.attributes());
    span.for_each_event([&](EventEdit& event) {
      redactor_.attributes(event.attributes());
      return true;
    });
    redactor_.span_name(span);
    return true;
  }
  bool log(LogEdit& log, Owners&) override {
    redactor_.attributes(log.attributes());
    redactor_.body(log.message(), otlp::log::kBody);
    return true;
  }
  bool metric(MetricEdit& metric, Owners&) override {
    metric.for_each_point([&](PointEdit& point) {
      redactor_.attributes(point.attributes());
      return true;
    });
    return true;
  }

  Redactor redactor_;
  std::string unknown_summary_;
};

}  // namespace
}  // namespace sonde

SONDE_COMPONENT(processor, redaction) {
  using namespace sonde;
  return pipeline::make_type<RedactionProcessor, Config>(
      {.kind = pipeline::Kind::Processor,
       .name = "redaction",
       .summary = "Takes away attributes that are not allowed and masks values.",
       .in = pipeline::kStableSignals,
       .out = pipeline::kStableSignals,
       .placement = pipeline::Placement::Replicated,
       .stability = "beta"},
      kFields.table());
}
