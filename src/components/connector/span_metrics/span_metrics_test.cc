// SPDX-License-Identifier: Apache-2.0
#include "data/metric_view.h"
#include "pipeline/test_component.h"
#include "pipeline/testing/malformed_spans.h"
#include "rollup/series_table.h"

const sonde::pipeline::ComponentType& sonde_component_connector_span_metrics();

namespace sonde {
namespace {

using pipeline::TestComponent;

TEST(SpanMetrics, RefusesAndTellsWhatItCannotCount) {
  TestComponent connector(sonde_component_connector_span_metrics(), "{}");
  pipeline::expect_the_rest_refused(connector, "span_metrics");
  connector.component->stop();
  EXPECT_NE(connector.take().find("value: 3\n"), std::string::npos);
}

// Values of "service.name", "zone" and "tier" of each point, and what the points of the metric say.
std::map<std::string, int64_t> points_of(const TestComponent& connector, std::string_view name) {
  std::map<std::string, int64_t> out;
  const auto visit = [&](const ResourceView& r, const ScopeView&, const MetricView& metric) {
    if (metric.name != name) return;
    for (const NumberPointView& p : metric.numbers()) {
      std::string of = r.get("service.name").to_string();
      for (const std::string_view key :
           {std::string_view("zone"), std::string_view("tier"), rollup::kOverflowLabel})
        of += "/" + p.attributes().get(key).to_string();
      out[of] += p.int_value;
    }
  };
  for (const Batch& batch : connector.sink.batches) EXPECT_TRUE(for_each_metric(batch, visit));
  return out;
}

TEST(SpanMetrics, TakesEachSpanForOneOfItsResource) {
  TestComponent connector(sonde_component_connector_span_metrics(),
                          "dimensions: [{name: zone}, {name: tier, default: none}]");
  TraceBatchBuilder builder;
  for (int request = 0; request < 2; ++request) {
    for (const std::string_view service : {"one", "two", "one"}) {
      Attribute of_resource[] = {{"service.name", service}, {"zone", int64_t{7}}};
      if (service == "two") of_resource[1] = {"tier", "web"};
      builder.resource(of_resource);
      for (int i = 0; i < 3; ++i) builder.span({.name = "a"});
      builder.span({.name = "a"}, {{"zone", "own"}, {"http.request.body.size", int64_t{5}}});
    }
    connector.component->consume(builder.build());
  }
  connector.component->stop();
  const std::map<std::string, int64_t> calls = {
      {"one/7/none/", 12}, {"one/own/none/", 4}, {"two//web/", 6}, {"two/own/web/", 2}};
  EXPECT_EQ(points_of(connector, "traces.spanmetrics.calls"), calls);
  const std::map<std::string, int64_t> sizes = {
      {"one/7/none/", 0}, {"one/own/none/", 20}, {"two//web/", 0}, {"two/own/web/", 10}};
  EXPECT_EQ(points_of(connector, "traces.spanmetrics.size"), sizes);
}

// One request of spans with long names held gigabytes once.
TEST(SpanMetrics, CountsNamesPastItsBytesInTheOverflowSeries) {
  TestComponent connector(sonde_component_connector_span_metrics(),
                          "aggregation_cardinality_limit: 20");
  const std::string longest(250'000, 'x'), long_name(12'000, 'x');
  TraceBatchBuilder builder;
  builder.resource({{"service.name", "a"}});
  for (int i = 0; i < 100; ++i) builder.span({.name = longest + std::to_string(i)});
  for (int i = 0; i < 9; ++i) builder.span({.name = long_name + std::to_string(i)});
  builder.span({.name = "short"});
  connector.component->consume(builder.build());
  connector.component->stop();
  size_t bytes = 0;
  for (const Batch& batch : connector.sink.batches) bytes += batch.bytes();
  EXPECT_LT(bytes, 4 * 20 * rollup::kBytesPerSeries + 20'000);
  const std::map<std::string, int64_t> calls = {{"a///", 4}, {"///true", 106}};
  EXPECT_EQ(points_of(connector, "traces.spanmetrics.calls"), calls);
}

}  // namespace
}  // namespace sonde
