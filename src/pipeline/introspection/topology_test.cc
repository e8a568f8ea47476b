// SPDX-License-Identifier: Apache-2.0
#include "pipeline/introspection/topology.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/counters.h"
#include "data/span_writer.h"
#include "pipeline/introspection/output_meter.h"
#include "pipeline/test_host.h"
#include "pipeline/testing/graph.h"
#include "pipeline/testing/typed_component.h"

namespace sonde::pipeline {
namespace {

Topology laid_out(std::string_view text) { return topology_of(graph(text), typed_components()); }

std::vector<std::string> edges(const Topology& topology) {
  std::vector<std::string> out;
  for (const TopologyEdge& e : topology.edges) {
    out.push_back(e.from + " " + e.to + " " + e.pipeline + " " + e.signal);
  }
  return out;
}

TEST(Topology, JoinsWhatThePipelinesJoin) {
  const Topology topology = laid_out(R"(
receivers: {in: , second: }
processors: {step: }
connectors: {joint: }
exporters: {out: , unused: }
extensions: {eye: , closed: }
service:
  extensions: [eye]
  pipelines:
    traces: {receivers: [in, second], processors: [step], exporters: [joint, out]}
    metrics: {receivers: [joint], exporters: [out]}
)");
  EXPECT_EQ(edges(topology),
            (std::vector<std::string>{"receiver/in processor/step@traces traces traces",
                                      "receiver/second processor/step@traces traces traces",
                                      "processor/step@traces connector/joint traces traces",
                                      "processor/step@traces exporter/out traces traces",
                                      "connector/joint exporter/out metrics metrics"}));
  std::vector<std::string> keys;
  for (const auto& c : topology.components) keys.push_back(c.key);
  EXPECT_EQ(keys,
            (std::vector<std::string>{"receiver/in", "receiver/second", "processor/step@traces",
                                      "connector/joint", "exporter/out", "extension/eye"}));
  EXPECT_EQ(topology.components[3].pipelines, (std::vector<std::string>{"traces", "metrics"}));
}

TEST(Topology, GivesAConnectorOfTwoSignalsTwoPlacesWhereItKeepsThemApart) {
  const Topology topology = laid_out(R"(
receivers: {in: }
connectors: {forward: , joint: }
exporters: {out: }
service:
  pipelines:
    traces: {receivers: [in], exporters: [forward]}
    traces/next: {receivers: [forward], exporters: [joint]}
    metrics: {receivers: [joint], exporters: [forward]}
    metrics/next: {receivers: [forward], exporters: [out]}
)");
  EXPECT_EQ(edges(topology), (std::vector<std::string>{
                                 "receiver/in connector/forward@traces traces traces",
                                 "connector/forward@traces connector/joint traces/next traces",
                                 "connector/joint connector/forward@metrics metrics metrics",
                                 "connector/forward@metrics exporter/out metrics/next metrics"}));
}

TEST(Topology, GivesAProcessorOfTwoPipelinesTwoPlaces) {
  const Topology topology = laid_out(R"(
receivers: {in: }
processors: {step: }
exporters: {out: }
service:
  pipelines:
    traces: {receivers: [in], processors: [step], exporters: [out]}
    traces/other: {receivers: [in], processors: [step], exporters: [out]}
)");
  EXPECT_EQ(std::ranges::count(topology.components, "processor", &TopologyComponent::kind), 2);
  EXPECT_EQ(topology.edges.size(), 4u);
}

TEST(OutputMeter, CountsItemsAndBytesAndPassesTheBatchOn) {
  CollectingSink sink;
  OutputMeter meter(sink, "receiver/meter_test", Signal::Traces, {}, std::make_shared<TapPoint>());
  TraceBatchBuilder builder;
  for (int i = 0; i < 3; ++i) {
    builder.span({.trace_id = "0123456789abcdef", .span_id = "01234567", .name = "a"});
  }
  Batch batch = builder.build({});
  const size_t bytes = batch.bytes();

  meter.consume(std::move(batch));

  const CounterLabels labels{{"component", "receiver/meter_test"}, {"signal", "traces"}};
  EXPECT_EQ(counter(kOutputItems, "", labels).value(), 3u);
  EXPECT_EQ(counter(kOutputBytes, "", labels).value(), bytes);
  ASSERT_EQ(sink.batches.size(), 1u);
}

TEST(OutputMeter, CountsApartWhatGoesToOnePipelineAlone) {
  CollectingSink sink;
  const std::string from = "connector/meter_choice@traces";
  OutputMeter all(sink, from, Signal::Traces, {}, std::make_shared<TapPoint>());
  OutputMeter one(sink, from, Signal::Traces, "traces/one", std::make_shared<TapPoint>());
  for (OutputMeter* meter : {&all, &one, &one}) {
    TraceBatchBuilder builder;
    builder.span({.name = "a"});
    meter->consume(builder.build());
  }
  CounterLabels labels{{"component", from}, {"signal", "traces"}};
  EXPECT_EQ(counter(kOutputItems, "", labels).value(), 1u);
  labels.emplace_back("pipeline", "traces/one");
  EXPECT_EQ(counter(kOutputItems, "", labels).value(), 2u);
}

}  // namespace
}  // namespace sonde::pipeline
