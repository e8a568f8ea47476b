// SPDX-License-Identifier: Apache-2.0
#include "pipeline/test_component.h"

const sonde::pipeline::ComponentType& sonde_component_receiver_nop();

namespace sonde {
namespace {

TEST(NopReceiver, StartsWithoutSettingsAndTakesNone) {
  EXPECT_EQ(pipeline::TestComponent(sonde_component_receiver_nop(), "").error, "");
  EXPECT_NE(pipeline::TestComponent(sonde_component_receiver_nop(), "{a: 1}").error, "");
}

}  // namespace
}  // namespace sonde
