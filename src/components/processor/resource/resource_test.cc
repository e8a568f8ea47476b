// SPDX-License-Identifier: Apache-2.0
#include "pipeline/test_component.h"

const sonde::pipeline::ComponentType& sonde_component_processor_resource();

namespace sonde {
namespace {

TEST(Resource, ChangesResourcesOfEverySignal) {
  pipeline::TestComponent resource(
      sonde_component_processor_resource(),
      "attributes: [{key: env, action: upsert, value: prod}, {key: pid, action: delete}]");
  ASSERT_EQ(resource.error, "");
  EXPECT_EQ(resource.give("logs\n  resource\n    pid = 1\n    env = \"dev\"\n    scope\n"
                          "      log\n        body: \"b\"\n        pid = 2\n"),
            "logs\n  resource\n    env = \"prod\"\n    scope\n      log\n"
            "        body: \"b\"\n        pid = 2\n");
}

TEST(Resource, NeedsAnAction) {
  pipeline::TestComponent resource(sonde_component_processor_resource(), "attributes: []");
  EXPECT_NE(resource.error.find("attributes: give at least one"), std::string::npos);
}

}  // namespace
}  // namespace sonde
