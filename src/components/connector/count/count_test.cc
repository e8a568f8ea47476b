// SPDX-License-Identifier: Apache-2.0
#include "data/span_writer.h"
#include "pipeline/introspection/own_telemetry.h"
#include "pipeline/test_component.h"

const sonde::pipeline::ComponentType& sonde_component_connector_count();

namespace sonde {
namespace {

using pipeline::TestComponent;

TEST(Count, SaysWhatIsWrong) {
  const auto refusal = [](std::string_view settings) {
    return TestComponent(sonde_component_connector_count(), settings).error;
  };
  EXPECT_NE(refusal("spans: {a: {conditions: ['x']}}").find("spans: a: condition: \"x\""),
            std::string::npos);
  EXPECT_NE(refusal("metrics: {a: {attributes: [{key: b}]}}").find("metrics have no attributes"),
            std::string::npos);
  EXPECT_NE(refusal("logs: {a: {attributes: [{key: ''}]}}").find("an attribute has no key"),
            std::string::npos);
}

TEST(Count, DeliversWhatHasNothingToCount) {
  TestComponent count(sonde_component_connector_count(), "spans: {a: {conditions: ['false']}}");
  ASSERT_EQ(count.error, "");
  EXPECT_EQ(count.give("traces\n  resource\n    scope\n      span\n        name: \"n\"\n"), "");
  EXPECT_EQ(count.outcome.kind, Outcome::Delivered);
  TestComponent nothing(sonde_component_connector_count(), "logs: {}");
  EXPECT_EQ(nothing.give("logs\n  resource\n    scope\n      log\n        body: \"b\"\n"), "");
}

struct Room final : Gate {
  Result<> change(const Need&, const Need& to) override {
    asked.push_back(to);
    return {};
  }
  std::vector<Need> asked;
};
struct Full final : Sink {
  void consume(Batch batch) override { batch.ack.deliver(); }
  void gates(Signal signal, Gates& out) override {
    if (signal == Signal::Metrics) out.push_back(room);
  }
  std::shared_ptr<Room> room = std::make_shared<Room>();
};

// Else a request that other exporters have taken already is refused for its counts, and comes
// again.
TEST(Count, AsksForTheRoomThatCountsWillTake) {
  Full metrics;
  const auto gates = [&](std::string_view settings, Signal signal) {
    auto made =
        TestComponent::make(sonde_component_connector_count(), settings, {.metrics = &metrics});
    EXPECT_TRUE(made);
    Gates out;
    (*made)->gates(signal, out);
    return out;
  };
  for (const Signal signal : {Signal::Traces, Signal::Metrics, Signal::Logs}) {
    EXPECT_EQ(gates("{}", signal).size(), 1u);
  }
  const Gates one = gates("{}", Signal::Traces);
  ASSERT_EQ(one.size(), 1u);
  // However much is counted, its counts are one small request.
  EXPECT_TRUE(one[0]->change({1, 0, 1 << 20}, {1, 5000, 1 << 20}));
  EXPECT_TRUE(one[0]->change({1, 5000, 1 << 20}, {}));
  ASSERT_EQ(metrics.room->asked.size(), 2u);
  EXPECT_EQ(metrics.room->asked[0].requests, 1u);
  EXPECT_EQ(metrics.room->asked[0].items, 1u);
  EXPECT_EQ(metrics.room->asked[0].bytes, 1u);
  EXPECT_EQ(metrics.room->asked[1].requests, 0u);
  // Not every request reaches the queue where something may count nothing.
  EXPECT_TRUE(gates("spans: {a: {conditions: ['name == \"x\"']}}", Signal::Traces).empty());
  EXPECT_TRUE(gates("spans: {a: {attributes: [{key: b}]}}", Signal::Traces).empty());
  EXPECT_EQ(gates("spans: {a: {attributes: [{key: b, default_value: c}]}}", Signal::Traces).size(),
            1u);
  EXPECT_TRUE(gates("logs: {}", Signal::Logs).empty());
}

// Each item would copy the value of the resource, and each count keep it.
TEST(Count, RefusesValuesOfAResourceThatAreTooLargeForItsItems) {
  for (const bool distinct : {false, true}) {
    TestComponent count(sonde_component_connector_count(),
                        "spans: {a: {attributes: [{key: large}, {key: i}]}}");
    TraceBatchBuilder builder;
    builder.resource({{"large", std::string(2'000'000, 'x')}});
    for (int64_t i = 0; i < 300; ++i) builder.span({.name = "s"}, {{"i", distinct ? i : 0}});
    Outcome outcome;
    const auto dropped = [] {
      return pipeline::dropped_counter("count", Signal::Traces, "too_large").value();
    };
    const uint64_t before = dropped();
    count.component->consume(
        builder.build(Ack::make(nullptr, [&](Outcome done) { outcome = std::move(done); })));
    EXPECT_EQ(outcome.kind, Outcome::Failed);
    EXPECT_EQ(outcome.error.kind, ErrorKind::Invalid);
    EXPECT_EQ(dropped() - before, 300u);
    EXPECT_TRUE(count.sink.batches.empty());
    // The next one is counted.
    EXPECT_NE(count.give("traces\n  resource\n    large = 1\n    i = 1\n    scope\n      span\n"
                         "        name: \"n\"\n"),
              "");
  }
}

}  // namespace
}  // namespace sonde
