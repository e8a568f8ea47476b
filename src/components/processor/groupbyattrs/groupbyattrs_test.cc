// SPDX-License-Identifier: Apache-2.0
#include "pipeline/test_component.h"

const sonde::pipeline::ComponentType& sonde_component_processor_groupbyattrs();

namespace sonde {
namespace {

using pipeline::TestComponent;

TEST(GroupByAttrs, RefusesWhatDoesNotParse) {
  TestComponent group(sonde_component_processor_groupbyattrs(), "keys: [a]");
  const std::string_view faults[] = {"\x0a\xff", "\x0a\x02\x12\x05", "\x0a\x04\x12\x02\x12\x09"};
  for (const std::string_view fault : faults) {
    Outcome outcome;
    group.component->consume(
        Batch(Signal::Metrics, {Bytes::copy(fault)},
              Ack::make(nullptr, [&](Outcome done) { outcome = std::move(done); })));
    EXPECT_EQ(outcome.kind, Outcome::Failed);
  }
}

TEST(GroupByAttrs, JoinsTheChunksOfABatch) {
  TestComponent group(sonde_component_processor_groupbyattrs(), "");
  auto a =
      from_text("logs\n  resource\n    x = 1\n    y = 2\n    scope\n      log\n        body: 1\n");
  auto b =
      from_text("logs\n  resource\n    y = 2\n    x = 1\n    scope\n      log\n        body: 2\n");
  ASSERT_TRUE(a && b);
  group.component->consume(Batch(Signal::Logs, {a->chunks[0], b->chunks[0]}));
  EXPECT_EQ(group.take(),
            "logs\n  resource\n    x = 1\n    y = 2\n    scope\n      log\n        body: 1\n"
            "      log\n        body: 2\n");
}

}  // namespace
}  // namespace sonde
