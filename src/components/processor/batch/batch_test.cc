// SPDX-License-Identifier: Apache-2.0
#include "base/counters.h"
#include "base/memory_ledger.h"
#include "data/metric_writer.h"
#include "data/span_writer.h"
#include "pipeline/introspection/own_telemetry.h"
#include "pipeline/queue/split_items.h"
#include "pipeline/test_component.h"

const sonde::pipeline::ComponentType& sonde_component_processor_batch();

namespace sonde {
namespace {

using pipeline::TestComponent;

Batch spans(size_t count) {
  TraceBatchBuilder builder;
  builder.resource({{"service.name", "cart"}}).scope("s");
  for (size_t i = 0; i < count; ++i)
    builder.span({.trace_id = "0123456789abcdef", .span_id = "01234567", .name = "a"});
  return builder.build();
}

// The sizes of the batches that came out, in their order.
std::vector<size_t> sizes(TestComponent& batch) {
  std::vector<size_t> out;
  for (const Batch& sent : batch.sink.batches) {
    EXPECT_EQ(sent.items(), count_records(sent));
    out.push_back(sent.items());
  }
  batch.sink.batches.clear();
  return out;
}

using Sizes = std::vector<size_t>;

TEST(Batch, SendsWhatIsLargeEnoughOrOldEnough) {
  TestComponent batch(sonde_component_processor_batch(), "{send_batch_size: 10, timeout: 1s}");
  ASSERT_EQ(batch.error, "");
  batch.component->consume(spans(4));
  EXPECT_EQ(sizes(batch), Sizes{});
  EXPECT_EQ(Counters::sum("sonde_at_risk_items"), 4);
  batch.component->consume(spans(7));
  EXPECT_EQ(sizes(batch), (Sizes{11}));
  batch.component->consume(spans(1));
  batch.host.scheduler().advance(std::chrono::milliseconds(999));
  EXPECT_EQ(sizes(batch), Sizes{});
  batch.host.scheduler().advance(std::chrono::milliseconds(1));
  EXPECT_EQ(sizes(batch), (Sizes{1}));
  EXPECT_EQ(Counters::sum("sonde_at_risk_items"), 0);
}

TEST(Batch, CutsAtTheMostAndKeepsTheRest) {
  TestComponent batch(sonde_component_processor_batch(),
                      "{send_batch_size: 10, send_batch_max_size: 10, timeout: 1s}");
  batch.component->consume(spans(3));
  batch.component->consume(spans(25));
  EXPECT_EQ(sizes(batch), (Sizes{10, 10}));
  batch.component->stop();
  EXPECT_EQ(sizes(batch), (Sizes{8}));
}

TEST(Batch, WithoutATimeSendsAtOnceButCuts) {
  TestComponent batch(sonde_component_processor_batch(),
                      "{send_batch_size: 0, send_batch_max_size: 4, timeout: 0s}");
  batch.component->consume(spans(9));
  EXPECT_EQ(sizes(batch), (Sizes{4, 4, 1}));
}

TEST(Batch, CutsAMetricBetweenItsPoints) {
  MetricBatchBuilder builder;
  for (const std::string_view name : {"a", "b"}) {
    builder.sum({.name = name});
    for (int64_t i = 0; i < 5; ++i) builder.point({{"n", i}}, i, {1, 2});
  }
  const Batch all = builder.build();
  auto pieces = split_items(Signal::Metrics, all.chunks[0], {.items = 3}, {.items = 4});
  ASSERT_TRUE(pieces);
  ASSERT_EQ(pieces->size(), 3u);
  Sizes found;
  std::string joined;
  for (const Piece& piece : *pieces) {
    EXPECT_EQ(count_records(Signal::Metrics, piece.chunk.view()), piece.items);
    found.push_back(piece.items);
    joined += to_text(Signal::Metrics, piece.chunk.view());
  }
  EXPECT_EQ(found, (Sizes{3, 4, 3}));
  for (int64_t i = 0; i < 5; ++i) {
    const std::string line = "n = " + std::to_string(i);
    const size_t first = joined.find(line);
    EXPECT_NE(first, std::string::npos);
    EXPECT_NE(joined.find(line, first + 1), std::string::npos);
  }
}

TEST(Batch, KeepsMetadataApartUpToItsLimit) {
  TestComponent batch(sonde_component_processor_batch(),
                      "{send_batch_size: 100, timeout: 1s, metadata_keys: [X-Tenant], "
                      "metadata_cardinality_limit: 2}");
  ASSERT_EQ(batch.error, "");
  const auto from = [&](std::string_view tenant) {
    auto context = std::make_shared<RequestContext>();
    context->metadata = {{"x-tenant", std::string(tenant)}, {"x-other", "1"}};
    Batch next = spans(2);
    next.context = std::move(context);
    next.ack = Ack::make(nullptr, [&](Outcome done) { batch.outcome = std::move(done); });
    batch.component->consume(std::move(next));
  };
  from("a");
  from("b");
  from("a");
  EXPECT_EQ(batch.outcome.kind, Outcome::Delivered);
  from("c");
  EXPECT_EQ(batch.outcome.kind, Outcome::Failed);
  batch.host.scheduler().advance(std::chrono::seconds(1));
  ASSERT_EQ(batch.sink.batches.size(), 2u);
  ASSERT_TRUE(batch.sink.batches[0].context);
  EXPECT_EQ(batch.sink.batches[0].context->metadata,
            (std::vector<std::pair<std::string, std::string>>{{"x-tenant", "a"}}));
  EXPECT_EQ(sizes(batch), (Sizes{4, 2}));
}

TEST(Batch, RefusesWhatCannotBeMeant) {
  const auto refusal = [](std::string_view settings) {
    return TestComponent(sonde_component_processor_batch(), settings).error;
  };
  EXPECT_NE(refusal("{send_batch_size: 10, send_batch_max_size: 5}").find("at least"),
            std::string::npos);
  EXPECT_NE(refusal("metadata_keys: [a, A]").find("\"a\" comes twice"), std::string::npos);
}

// A record that the back end cannot parse would take those of the others with it.
TEST(Batch, RefusesWhatIsNoOtlpAndKeepsWhatOthersSent) {
  TestComponent batch(sonde_component_processor_batch(), "{timeout: 1s, metadata_keys: [x]}");
  TraceBatchBuilder builder;
  builder.span({.trace_id = "abcd", .name = "bad"});
  Outcome good;
  Outcome bad;
  const auto give = [&](Batch next, Outcome& outcome) {
    next.ack = Ack::make(nullptr, [&](Outcome done) { outcome = std::move(done); });
    batch.component->consume(std::move(next));
  };
  give(spans(3), good);
  give(builder.build(), bad);
  EXPECT_EQ(good.kind, Outcome::Delivered);
  EXPECT_EQ(bad.kind, Outcome::Failed);
  EXPECT_EQ(bad.error.kind, ErrorKind::Invalid);
  EXPECT_EQ(bad.error.peer_code, 3);  // INVALID_ARGUMENT.
  EXPECT_NE(bad.error.message.find("batch: malformed OTLP"), std::string::npos)
      << bad.error.message;
  EXPECT_EQ(pipeline::dropped_counter("batch", Signal::Traces, "malformed").value(), 1u);
  batch.host.scheduler().advance(std::chrono::seconds(1));
  EXPECT_EQ(sizes(batch), (Sizes{3}));
}

TEST(Batch, RefusesWhatDoesNotParseAndCountsWhatIsRefusedBehind) {
  TestComponent batch(sonde_component_processor_batch(), "{timeout: 1s}");
  Outcome outcome;
  batch.component->consume(Batch(Signal::Traces, {Bytes::copy("\x0a\xff")},
                                 Ack::make(nullptr, [&](Outcome done) { outcome = done; })));
  EXPECT_EQ(outcome.kind, Outcome::Failed);

  struct Refusing final : Sink {
    void consume(Batch b) override { b.ack.fail({ErrorKind::Exhausted, "full", {}}); }
  } refusing;
  auto made = TestComponent::make(sonde_component_processor_batch(), "{timeout: 0s}",
                                  {.traces = &refusing});
  ASSERT_TRUE(made);
  ASSERT_TRUE((*made)->start(batch.host));
  const double before = Counters::sum("sonde_dropped_records_total");
  (*made)->consume(spans(3));
  EXPECT_EQ(Counters::sum("sonde_dropped_records_total") - before, 3);
}

// 5000 spans of a resource that is repeated in each part.
Batch heavy(size_t resource) {
  TraceBatchBuilder builder;
  builder.resource({{"large", std::string(resource, 'x')}});
  for (size_t i = 0; i < 5'000; ++i) builder.span({.name = "s"});
  return builder.build();
}

TEST(Batch, CutsWithoutHoldingAllPartsAndLeavesTurnsToOthers) {
  struct Watching final : Sink {
    void consume(Batch b) override {
      items += b.items();
      most_held = std::max(most_held, MemoryLedger::process().held());
      b.ack.deliver();
    }
    size_t items = 0;
    size_t most_held = 0;
  } sink;
  TestComponent host(sonde_component_processor_batch(), "");
  auto batch =
      TestComponent::make(sonde_component_processor_batch(),
                          "{send_batch_size: 10, send_batch_max_size: 10}", {.traces = &sink});
  ASSERT_TRUE(batch && (*batch)->start(host.host));
  const size_t before = MemoryLedger::process().held();
  (*batch)->consume(heavy(500'000));  // 250 MB in 500 parts.
  EXPECT_GT(sink.items, 0u);
  EXPECT_LT(sink.items, 2'500u);
  for (int turn = 0; turn < 5; ++turn) host.host.scheduler().advance(Duration::zero());
  EXPECT_EQ(sink.items, 5'000u);
  EXPECT_LT(sink.most_held - before, 4'000'000u);
  (*batch)->stop();
}

TEST(Batch, TellsTheSenderOfWhatThereIsNoMemoryToCut) {
  TestComponent batch(sonde_component_processor_batch(),
                      "{send_batch_size: 10, send_batch_max_size: 10}");
  MemoryLedger& ledger = MemoryLedger::process();
  const size_t limit = ledger.limit();
  ledger.set_limit(size_t{100} << 20);
  Outcome outcome;
  Batch much = heavy(200'000);  // 100 MB in 500 parts.
  much.ack = Ack::make(nullptr, [&](Outcome done) { outcome = std::move(done); });
  const uint64_t before = pipeline::dropped_counter("batch", Signal::Traces, "too_large").value();
  batch.component->consume(std::move(much));
  ledger.set_limit(limit);
  EXPECT_EQ(outcome.kind, Outcome::Failed);
  EXPECT_EQ(outcome.error.kind, ErrorKind::Invalid);
  EXPECT_EQ(pipeline::dropped_counter("batch", Signal::Traces, "too_large").value() - before,
            5'000u);
  EXPECT_TRUE(batch.sink.batches.empty());
}

}  // namespace
}  // namespace sonde
