// SPDX-License-Identifier: Apache-2.0
// What it refuses; what it answers is asked of the running program in tests/e2e/test_health.py.
#include <gtest/gtest.h>

#include "pipeline/test_component.h"

const sonde::pipeline::ComponentType& sonde_component_extension_health_check();

namespace sonde {
namespace {

std::string refusal(std::string_view settings) {
  auto made = pipeline::TestComponent::make(sonde_component_extension_health_check(), settings, {});
  return made ? "" : made.error().message;
}

TEST(HealthCheck, RefusesWhatTheCollectorRefusesAndNamesTheExtensionThatKnowsMore) {
  EXPECT_EQ(refusal("{check_collector_pipeline: {enabled: true, interval: 5m}}"), "");
  EXPECT_NE(refusal("{path: status}").find("path must start with /"), std::string::npos);
  EXPECT_NE(refusal("{endpoint: ''}").find("http endpoint required"), std::string::npos);
  EXPECT_NE(refusal("{http: {endpoint: 'a:1'}}").find("healthcheckv2"), std::string::npos);
  EXPECT_NE(refusal("{use_v2: true}").find("healthcheckv2"), std::string::npos);
}

}  // namespace
}  // namespace sonde
