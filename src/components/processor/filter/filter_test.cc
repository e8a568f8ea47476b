// SPDX-License-Identifier: Apache-2.0
#include "base/counters.h"
#include "pipeline/test_component.h"

const sonde::pipeline::ComponentType& sonde_component_processor_filter();

namespace sonde {
namespace {

using pipeline::TestComponent;

std::string refusal(std::string_view settings) {
  return TestComponent(sonde_component_processor_filter(), settings).error;
}

// The bodies of the records of these severities that stay.
std::string bodies(std::string_view settings) {
  TestComponent filter(sonde_component_processor_filter(), settings);
  EXPECT_EQ(filter.error, "") << settings;
  if (!filter.component) return {};
  std::string text = "logs\n  resource\n    scope\n";
  for (const auto& [body, severity] : {std::pair("none", 0), {"debug", 5}, {"warn", 13}}) {
    text += "      log\n";
    if (severity) text += "        severity: " + std::to_string(severity) + "\n";
    text += "        body: \"" + std::string(body) + "\"\n";
  }
  std::string out;
  const std::string kept = filter.give(text);
  for (const std::string body : {"none", "debug", "warn"})
    if (kept.find('"' + body + '"') != std::string::npos) out += body + " ";
  return out;
}

TEST(Filter, JudgesSeverity) {
  EXPECT_EQ(bodies("logs: {include: {match_type: strict, severity_number: {min: warn}}}"), "warn ");
  EXPECT_EQ(bodies("logs: {include: {match_type: strict, severity_number: {min: '5', "
                   "match_undefined: true}}}"),
            "none debug warn ");
  EXPECT_EQ(bodies("logs: {exclude: {match_type: strict, severity_number: {min: DEBUG2}}}"),
            "none debug ");
  EXPECT_EQ(bodies("logs: {exclude: {match_type: regexp, bodies: [^w, e$]}}"), "debug ");
  EXPECT_EQ(bodies("logs: {include: {match_type: strict}}"), "none debug warn ");
}

TEST(Filter, RefusesConditionsByName) {
  EXPECT_NE(refusal("traces: {span: ['name == \"a\"']}").find("traces::span: conditions in OTTL"),
            std::string::npos);
  EXPECT_NE(refusal("log_conditions: ['body == \"a\"']").find("log_conditions: conditions"),
            std::string::npos);
  EXPECT_NE(refusal("metrics: {exclude: {match_type: expr, expressions: [a]}}").find("expr"),
            std::string::npos);
  EXPECT_NE(refusal("logs: {include: {match_type: strict, severity_number: {min: LOUD}}}")
                .find("\"LOUD\" is no severity"),
            std::string::npos);
  EXPECT_NE(refusal("spans: {include: {match_type: strict}}").find("at least one of services"),
            std::string::npos);
}

TEST(Filter, CountsWhatItDropsAndDeliversWhatIsEmptyThen) {
  TestComponent filter(sonde_component_processor_filter(),
                       "spans: {exclude: {match_type: strict, span_names: [health]}}");
  const double before = Counters::sum("otelcol_processor_filter_spans_filtered");
  EXPECT_EQ(filter.give("traces\n  resource\n    scope\n      span\n        name: \"health\"\n"),
            "");
  EXPECT_EQ(filter.outcome.kind, Outcome::Delivered);
  EXPECT_EQ(Counters::sum("otelcol_processor_filter_spans_filtered") - before, 1);
}

}  // namespace
}  // namespace sonde
