// SPDX-License-Identifier: Apache-2.0
#include "pipeline/test_component.h"

const sonde::pipeline::ComponentType& sonde_component_connector_forward();

namespace sonde {
namespace {

TEST(Forward, PassesOnTheBatchItself) {
  pipeline::TestComponent forward(sonde_component_connector_forward(), "");
  ASSERT_EQ(forward.error, "");
  constexpr std::string_view kText =
      "logs\n  resource\n    scope\n      log\n        body: \"b\"\n";
  EXPECT_EQ(forward.give(kText), kText);
  EXPECT_EQ(forward.outcome.kind, Outcome::Delivered);
}

}  // namespace
}  // namespace sonde
