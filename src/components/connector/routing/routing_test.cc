// SPDX-License-Identifier: Apache-2.0
#include "pipeline/test_component.h"

const sonde::pipeline::ComponentType& sonde_component_connector_routing();

namespace sonde {
namespace {

using pipeline::TestComponent;

std::string refusal(std::string_view settings) {
  return TestComponent(sonde_component_connector_routing(), settings).error;
}

TEST(Routing, SaysWhatIsWrongWithARow) {
  const std::pair<std::string_view, std::string_view> kCases[] = {
      {"{}", "table: give at least one row"},
      {"table: [{condition: 'true'}]", "table::0: it has no pipelines"},
      {"table: [{pipelines: [traces/a]}]", "table::0: give either condition or statement"},
      {"table: [{pipelines: [traces/a], statement: 'delete_key(attributes, \"a\")'}]",
       "only route() and route() where"},
      {"table: [{pipelines: [traces/a], condition: 'Len(x) > 1'}]", "is not understood"},
      {"table: [{pipelines: [traces/a], context: spanevent, condition: 'true'}]", "context: it"},
      {"table: [{pipelines: [traces/a], condition: 'true'}]",
       "table::0::pipelines: no pipeline traces/a begins with this connector"}};
  for (const auto& [settings, error] : kCases) {
    EXPECT_NE(refusal(settings).find(error), std::string::npos)
        << settings << " gave: " << refusal(settings);
  }
}

TEST(Routing, PassesOnUntouchedWhatMatchesWholly) {
  pipeline::CollectingSink sink;
  pipeline::Outputs outputs{.traces = &sink};
  outputs.pipelines.push_back({"traces/a", Signal::Traces, &sink});
  auto routing = TestComponent::make(
      sonde_component_connector_routing(),
      "table: [{pipelines: [traces/a], context: span, statement: route() where name == \"n\"}]",
      outputs);
  ASSERT_TRUE(routing) << routing.error().message;
  pipeline::TestHost host;
  ASSERT_TRUE((*routing)->start(host));
  auto batch = from_text("traces\n  resource\n    scope\n      span\n        name: \"n\"\n");
  ASSERT_TRUE(batch);
  batch->original = std::make_shared<Encoded>();
  const char* bytes = batch->chunks[0].view().data();
  (*routing)->consume(std::move(*batch));
  ASSERT_EQ(sink.batches.size(), 1u);
  EXPECT_EQ(sink.batches[0].chunks[0].view().data(), bytes);
  EXPECT_NE(sink.batches[0].original, nullptr);
}

}  // namespace
}  // namespace sonde
