// SPDX-License-Identifier: Apache-2.0
// Rates from counters under a hand-moved time. Ids are this file's own: the counters are the
// process'.
#include "components/extension/console/pipelines.h"

#include <gtest/gtest.h>

#include "base/counters.h"
#include "pipeline/introspection/output_meter.h"

namespace sonde::console {
namespace {

using pipeline::Topology;

std::shared_ptr<const Topology> graph(const std::string& name) {
  return std::make_shared<const Topology>(
      Topology{.components = {{"receiver/" + name, "receiver", name, name, {"traces"}},
                              {"exporter/" + name, "exporter", name, name, {"traces"}}},
               .edges = {{"receiver/" + name, "exporter/" + name, "traces", "traces"}}});
}

void give(const std::string& name, uint64_t items, uint64_t bytes) {
  const CounterLabels labels{{"component", "receiver/" + name}, {"signal", "traces"}};
  counter(pipeline::kOutputItems, "", labels).add(items);
  counter(pipeline::kOutputBytes, "", labels).add(bytes);
}

TEST(Pipelines, MeasuresAnEdgeFromTheFirstSampleInsideTheRange) {
  PipelineHistory history;
  const auto topology = graph("pipelines_rate");
  for (int second = 0; second <= 60; second += 5) {
    history.sample(topology, second * 1000);
    give("pipelines_rate", second < 30 ? 50 : 500, 1000);
  }
  const std::vector<pipeline::ComponentStatus> statuses = {
      {"exporter/pipelines_rate",
       {pipeline::StatusKind::RecoverableError, "refused"},
       7'000'000'000}};
  const auto a = history.answer(topology, statuses, 30, 65'000);
  ASSERT_EQ(a.edges.size(), 1u);
  EXPECT_EQ(a.edges[0].items, 3000u);  // Of 35 s to 65 s.
  EXPECT_DOUBLE_EQ(*a.edges[0].items_rate, 100);
  EXPECT_DOUBLE_EQ(*a.edges[0].bytes_rate, 6000 / 30.);
  EXPECT_EQ(a.edges[0].trend, std::vector<double>(5, 100));
  const std::string json = pipelines_json(a);
  EXPECT_NE(json.find(R"("status":{"state":"none","error":null,"since":null})"), std::string::npos);
  EXPECT_NE(json.find(R"("status":{"state":"recoverable_error","error":"refused","since":7000})"),
            std::string::npos);
}

// What a connector that chooses gives to one pipeline passes no edge of another.
TEST(Pipelines, TellsApartTheEdgesOfAConnectorThatChooses) {
  const std::string from = "connector/pipelines_choice@traces";
  const auto topology = std::make_shared<const Topology>(
      Topology{.components = {{from, "connector", "pipelines_choice", "round_robin", {}}},
               .edges = {{from, "exporter/a", "traces/a", "traces"},
                         {from, "exporter/b", "traces/b", "traces"}}});
  PipelineHistory history;
  history.sample(topology, 0);
  const auto give_to = [&](const CounterLabels& which, uint64_t items) {
    CounterLabels labels{{"component", from}, {"signal", "traces"}};
    labels.insert(labels.end(), which.begin(), which.end());
    counter(pipeline::kOutputItems, "", labels).add(items);
    counter(pipeline::kOutputBytes, "", labels).add(10 * items);
  };
  give_to({{"pipeline", "traces/a"}}, 4);
  give_to({{"pipeline", "traces/b"}}, 6);
  give_to({}, 100);
  const auto a = history.answer(topology, {}, 60, 10'000);
  ASSERT_EQ(a.edges.size(), 2u);
  EXPECT_EQ(a.edges[0].items, 104u);
  EXPECT_EQ(a.edges[1].items, 106u);
  EXPECT_EQ(a.edges[0].bytes, 1040u);
}

TEST(Pipelines, KnowsNoRateBeforeASecondHasPassed) {
  PipelineHistory history;
  const auto topology = graph("pipelines_young");
  history.sample(topology, 10'000);
  give("pipelines_young", 5, 50);
  const auto a = history.answer(topology, {}, 60, 10'500);
  EXPECT_EQ(a.edges[0].items, 5u);
  EXPECT_FALSE(a.edges[0].items_rate);
}

TEST(Pipelines, TellsDropsAndTheQueueOfAnExporter) {
  PipelineHistory history;
  const auto topology = graph("pipelines_drops");
  history.sample(topology, 0);
  counter("sonde_dropped_records_total", "",
          {{"component", "pipelines_drops"}, {"signal", "traces"}, {"reason", "queue_full"}})
      .add(20);
  gauge("otelcol_exporter_queue_size", "", {{"exporter", "pipelines_drops"}}).set(3);
  gauge("otelcol_exporter_queue_capacity", "", {{"exporter", "pipelines_drops"}}).set(1000);
  for (const auto& [signal, age] : {std::pair("traces", 4.5), std::pair("logs", 2.0)}) {
    gauge("sonde_exporter_queue_oldest_seconds", "",
          {{"exporter", "pipelines_drops"}, {"data_type", signal}})
        .set(age);
  }
  const auto a = history.answer(topology, {}, 60, 10'000);
  EXPECT_EQ(a.edges[0].errors, 20u);
  EXPECT_DOUBLE_EQ(*a.edges[0].errors_rate, 2);
  EXPECT_FALSE(a.components[0].queue_used);
  EXPECT_EQ(a.components[1].queue_used, 3);
  ASSERT_EQ(a.components[1].dropped.size(), 1u);
  EXPECT_EQ(a.components[1].dropped[0].reason, "queue_full");
  const std::string json = pipelines_json(a);
  EXPECT_NE(json.find(R"("queue":{"used":3,"capacity":1000,"oldest_s":4.5})"), std::string::npos)
      << json;
  EXPECT_NE(json.find(R"("queue":null)"), std::string::npos);
}

TEST(Pipelines, StartsAnewWithANewGraphAndWhenTheClockIsSetBack) {
  PipelineHistory history;
  history.sample(graph("pipelines_old"), 1'000'000);
  const auto topology = graph("pipelines_new");
  history.sample(topology, 1'005'000);
  EXPECT_EQ(history.samples(), 1u);
  history.sample(topology, 5'000);
  EXPECT_EQ(history.samples(), 1u);
}

TEST(Pipelines, KeepsNoMoreThanTheLongestRange) {
  PipelineHistory history;
  const auto topology = graph("pipelines_long");
  for (int second = 0; second < 3600; second += 5) history.sample(topology, second * 1000);
  EXPECT_EQ(history.samples(), 182u);
}

}  // namespace
}  // namespace sonde::console
