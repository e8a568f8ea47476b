// SPDX-License-Identifier: Apache-2.0
// The exporter is thin; that spans become observations is tested in the rollup room. Here: its
// limits are checked.
#include <gtest/gtest.h>

#include "pipeline/component.h"

const sonde::pipeline::ComponentType& sonde_component_exporter_rollup();

namespace sonde {
namespace {

TEST(RollupExporter, RefusesALimitOfNothing) {
  config::Value value = config::Value::map();
  EXPECT_TRUE(sonde_component_exporter_rollup().create(value, "rollup", {}));
  value.set("max_services", config::Value::integer_value(0));
  EXPECT_FALSE(sonde_component_exporter_rollup().create(value, "rollup", {}));
}

}  // namespace
}  // namespace sonde
