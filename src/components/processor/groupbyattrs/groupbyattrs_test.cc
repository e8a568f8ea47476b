// SPDX-License-Identifier: Apache-2.0
#include "base/memory_ledger.h"
#include "data/span_writer.h"
#include "data/valid.h"
#include "pipeline/introspection/own_telemetry.h"
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

// Spans with as many values of `a` below a resource of this size.
Batch distinct(size_t resource, int spans) {
  TraceBatchBuilder builder;
  builder.resource({{"large", std::string(resource, 'x')}});
  for (int64_t i = 0; i < spans; ++i) builder.span({.name = "s"}, {{"a", i}});
  return builder.build();
}

TEST(GroupByAttrs, RefusesWhatThereIsNoMemoryFor) {
  TestComponent group(sonde_component_processor_groupbyattrs(), "keys: [a]");
  MemoryLedger& ledger = MemoryLedger::process();
  const size_t limit = ledger.limit();
  ledger.set_limit(ledger.held() + (size_t{100} << 20));
  Outcome outcome;
  const auto give = [&](Batch batch) {
    batch.ack = Ack::make(nullptr, [&](Outcome done) { outcome = std::move(done); });
    group.component->consume(std::move(batch));
  };
  const auto dropped = [](std::string_view reason) {
    return pipeline::dropped_counter("groupbyattrs", Signal::Traces, reason).value();
  };
  give(distinct(1'000'000, 200));
  EXPECT_EQ(outcome.kind, Outcome::Failed);
  EXPECT_EQ(outcome.error.kind, ErrorKind::Invalid);
  EXPECT_EQ(dropped("too_large"), 200u);
  {
    const Bytes other = Bytes::take(std::string(ledger.room() - (size_t{20} << 20), 'x'));
    give(distinct(1'000'000, 40));
    EXPECT_EQ(outcome.error.kind, ErrorKind::Exhausted);
    EXPECT_GT(outcome.error.retry_after, Duration{});
    EXPECT_EQ(dropped("memory_limit"), 40u);
  }
  EXPECT_TRUE(group.sink.batches.empty());
  give(distinct(1'000'000, 40));
  ledger.set_limit(limit);
  EXPECT_EQ(outcome.kind, Outcome::Delivered);
  ASSERT_EQ(group.sink.batches.size(), 1u);
  EXPECT_EQ(count_records(group.sink.batches[0]), 40u);
  // However much memory there is.
  give(distinct(1'000'000, 300));
  EXPECT_EQ(outcome.error.kind, ErrorKind::Invalid);
  EXPECT_EQ(dropped("too_large"), 500u);
}

TEST(GroupByAttrs, GroupsAreEqualWhateverTheyWereMadeOf) {
  TestComponent group(sonde_component_processor_groupbyattrs(), "keys: [a, b]");
  // The value on the resource, on the item, and replaced by the item.
  EXPECT_EQ(
      group.give("logs\n"
                 "  resource\n    a = 1\n    x = 1\n    scope\n      log\n        body: 1\n"
                 "  resource\n    x = 1\n    scope\n      log\n        body: 2\n        a = 1\n"
                 "  resource\n    x = 1\n    a = 2\n    scope\n      log\n        body: 3\n"
                 "        a = 1\n"
                 "  resource\n    x = 1\n    b = 1\n    scope\n      log\n        body: 4\n"),
      "logs\n"
      "  resource\n    a = 1\n    x = 1\n    scope\n      log\n        body: 1\n"
      "      log\n        body: 2\n      log\n        body: 3\n"
      "  resource\n    x = 1\n    b = 1\n    scope\n      log\n        body: 4\n");
}

TEST(GroupByAttrs, AKeyThatComesTwiceOnResourcesIsNoMatterOfOrder) {
  TestComponent group(sonde_component_processor_groupbyattrs(), "keys: [a]");
  EXPECT_EQ(group.give("logs\n"
                       "  resource\n    a = 1\n    a = 2\n    scope\n      log\n        body: 1\n"
                       "  resource\n    a = 2\n    a = 1\n    scope\n      log\n        body: 2\n"
                       "  resource\n    a = 2\n    scope\n      log\n        body: 3\n"),
            "logs\n"
            "  resource\n    a = 1\n    a = 2\n    scope\n      log\n        body: 1\n"
            "      log\n        body: 2\n"
            "  resource\n    a = 2\n    scope\n      log\n        body: 3\n");
}

TEST(GroupByAttrs, GivesMuchInSeveralChunks) {
  TestComponent group(sonde_component_processor_groupbyattrs(), "keys: [a]");
  group.component->consume(distinct(3'000'000, 5));
  ASSERT_EQ(group.sink.batches.size(), 1u);
  const Batch& out = group.sink.batches[0];
  EXPECT_EQ(out.chunks.size(), 3u);
  for (const Bytes& chunk : out.chunks) EXPECT_TRUE(validate(Signal::Traces, chunk.view()));
  EXPECT_EQ(count_records(out), 5u);
}

}  // namespace
}  // namespace sonde
