// SPDX-License-Identifier: Apache-2.0
#include "pipeline/test_component.h"

const sonde::pipeline::ComponentType& sonde_component_processor_span();

namespace sonde {
namespace {

using pipeline::TestComponent;

// A span with this name and these attribute lines, after.
std::string after(std::string_view settings, std::string_view name, std::string_view lines = "") {
  TestComponent span(sonde_component_processor_span(), settings);
  EXPECT_EQ(span.error, "");
  if (!span.component) return {};
  const std::string head = "traces\n  resource\n    scope\n      span\n";
  std::string out =
      span.give(head + "        name: \"" + std::string(name) + "\"\n" + std::string(lines));
  return out.substr(std::min(out.size(), head.size()));
}

TEST(Span, NamesFromAttributesWhereAllAreThere) {
  constexpr std::string_view kSettings = "name: {from_attributes: [a, b, c, d], separator: '::'}";
  EXPECT_EQ(after(kSettings, "old", "        a = \"x\"\n        b = 1.0\n        c = true\n"),
            "        name: \"old\"\n        a = \"x\"\n        b = 1.0\n        c = true\n");
  EXPECT_EQ(after(kSettings, "old",
                  "        a = \"x\"\n        b = 1.0\n        c = true\n        d = [1]\n"),
            "        name: \"x::1::true::<unknown-attribute-type>\"\n        a = \"x\"\n"
            "        b = 1.0\n        c = true\n        d = [1]\n");
}

TEST(Span, TakesAttributesOutOfNames) {
  EXPECT_EQ(after("name: {to_attributes: {rules: ['^/api/v1/document/(?P<id>.*)/update$', "
                  "'(?P<tail>update)$']}}",
                  "/api/v1/document/321083210/update"),
            "        name: \"/api/v1/document/{id}/{tail}\"\n        id = \"321083210\"\n"
            "        tail = \"update\"\n");
  EXPECT_EQ(after("name: {to_attributes: {rules: ['(?P<a>x)', '(?P<b>y)'], break_after_match: "
                  "true, keep_original_name: true}}",
                  "xy"),
            "        name: \"xy\"\n        a = \"x\"\n");
  EXPECT_EQ(after("name: {to_attributes: {rules: ['/(?P<a>\\w+)(?P<b>/none)?']}}", "/cart/1"),
            "        name: \"/{a}/1\"\n        a = \"cart\"\n        b = \"\"\n");
}

TEST(Span, SetsTheStatus) {
  EXPECT_NE(after("status: {code: Error, description: broken}", "a").find("broken"),
            std::string::npos);
  EXPECT_EQ(after("{status: {code: Ok}, exclude: {match_type: strict, span_names: [a]}}", "a"),
            "        name: \"a\"\n");
}

TEST(Span, SaysWhatIsMissing) {
  const auto refusal = [](std::string_view settings) {
    return TestComponent(sonde_component_processor_span(), settings).error;
  };
  EXPECT_NE(refusal("name: {separator: x}").find("give name::from_attributes"), std::string::npos);
  EXPECT_NE(refusal("status: {code: Bad}").find("must be Ok, Error or Unset"), std::string::npos);
  EXPECT_NE(refusal("status: {code: Ok, description: x}").find("goes with the code Error"),
            std::string::npos);
  EXPECT_EQ(refusal("name: {to_attributes: {rules: ['(a)']}}"), "");
}

}  // namespace
}  // namespace sonde
