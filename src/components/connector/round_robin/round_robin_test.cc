// SPDX-License-Identifier: Apache-2.0
#include "pipeline/test_component.h"

const sonde::pipeline::ComponentType& sonde_component_connector_round_robin();

namespace sonde {
namespace {

TEST(RoundRobin, TakesTurns) {
  pipeline::CollectingSink sinks[2];
  pipeline::Outputs outputs;
  outputs.pipelines = {{"logs/a", Signal::Logs, &sinks[0]}, {"logs/b", Signal::Logs, &sinks[1]}};
  auto made = pipeline::TestComponent::make(sonde_component_connector_round_robin(), "", outputs);
  ASSERT_TRUE(made);
  for (int i = 0; i < 5; ++i) (*made)->consume(Batch(Signal::Logs, {}));
  EXPECT_EQ(sinks[0].batches.size(), 3u);
  EXPECT_EQ(sinks[1].batches.size(), 2u);
}

}  // namespace
}  // namespace sonde
