// SPDX-License-Identifier: Apache-2.0
#include "pipeline/test_component.h"

const sonde::pipeline::ComponentType& sonde_component_exporter_nop();

namespace sonde {
namespace {

TEST(NopExporter, DeliversEverything) {
  pipeline::TestComponent nop(sonde_component_exporter_nop(), "");
  EXPECT_EQ(nop.give("logs\n  resource\n    scope\n      log\n        body: \"b\"\n"), "");
  EXPECT_EQ(nop.outcome.kind, Outcome::Delivered);
}

}  // namespace
}  // namespace sonde
