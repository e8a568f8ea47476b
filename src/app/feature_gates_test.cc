// SPDX-License-Identifier: Apache-2.0
#include "app/feature_gates.h"

#include <gtest/gtest.h>

namespace sonde::app {
namespace {

TEST(FeatureGates, AreTurnedOnAndOffByAList) {
  FeatureGates gates;
  EXPECT_FALSE(gates.enabled("service.AllowNoPipelines"));
  ASSERT_TRUE(gates.apply("+service.AllowNoPipelines,confmap.enableMergeAppendOption"));
  EXPECT_TRUE(gates.enabled("service.AllowNoPipelines"));
  EXPECT_TRUE(gates.enabled("confmap.enableMergeAppendOption"));
  ASSERT_TRUE(gates.apply("-service.AllowNoPipelines"));
  EXPECT_FALSE(gates.enabled("service.AllowNoPipelines"));
}

TEST(FeatureGates, AnUnknownOneIsAnErrorThatNamesTheNearest) {
  FeatureGates gates;
  auto applied = gates.apply("service.allowNoPipelines");
  ASSERT_FALSE(applied);
  EXPECT_NE(applied.error().message.find("did you mean \"service.AllowNoPipelines\"?"),
            std::string::npos)
      << applied.error().message;
  EXPECT_FALSE(describe_gates(gates, "nope"));
  EXPECT_NE(describe_gates(gates, "service.AllowNoPipelines")->find("Stage: Alpha"),
            std::string::npos);
}

TEST(FeatureGates, ThoseOfTheCollectorAreTakenAndWhatIsSettledStays) {
  FeatureGates gates;
  ASSERT_TRUE(gates.apply("service.partialReload,-service.partialReloadReceivers"));
  EXPECT_FALSE(gates.enabled("service.partialReloadReceivers"));
  EXPECT_TRUE(gates.apply("processor.filter.defaultErrorModeIgnore"));
  EXPECT_FALSE(gates.apply("-processor.filter.defaultErrorModeIgnore"));
  EXPECT_TRUE(gates.apply("-connector.servicegraph.legacyLatencyUnitMs"));
  EXPECT_FALSE(gates.apply("connector.servicegraph.legacyLatencyUnitMs"));
  EXPECT_TRUE(gates.apply(""));
  EXPECT_FALSE(gates.apply("service.partialReload,"));
  EXPECT_FALSE(gates.apply("++service.partialReload"));
}

}  // namespace
}  // namespace sonde::app
