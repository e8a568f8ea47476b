// SPDX-License-Identifier: Apache-2.0
#include "pipeline/test_component.h"

const sonde::pipeline::ComponentType& sonde_component_connector_count();

namespace sonde {
namespace {

using pipeline::TestComponent;

TEST(Count, SaysWhatIsWrong) {
  const auto refusal = [](std::string_view settings) {
    return TestComponent(sonde_component_connector_count(), settings).error;
  };
  EXPECT_NE(refusal("spans: {a: {conditions: ['x']}}").find("spans: a: condition: \"x\""),
            std::string::npos);
  EXPECT_NE(refusal("metrics: {a: {attributes: [{key: b}]}}").find("metrics have no attributes"),
            std::string::npos);
  EXPECT_NE(refusal("logs: {a: {attributes: [{key: ''}]}}").find("an attribute has no key"),
            std::string::npos);
}

TEST(Count, DeliversWhatHasNothingToCount) {
  TestComponent count(sonde_component_connector_count(), "spans: {a: {conditions: ['false']}}");
  ASSERT_EQ(count.error, "");
  EXPECT_EQ(count.give("traces\n  resource\n    scope\n      span\n        name: \"n\"\n"), "");
  EXPECT_EQ(count.outcome.kind, Outcome::Delivered);
  TestComponent nothing(sonde_component_connector_count(), "logs: {}");
  EXPECT_EQ(nothing.give("logs\n  resource\n    scope\n      log\n        body: \"b\"\n"), "");
}

}  // namespace
}  // namespace sonde
