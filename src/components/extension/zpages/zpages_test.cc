// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "base/counters.h"
#include "components/extension/zpages/pages.h"
#include "pipeline/introspection/output_meter.h"

namespace sonde::zpages {
namespace {

using pipeline::ComponentStatus;
using pipeline::StatusKind;
using pipeline::Topology;

TEST(Zpages, ShowsEachPipelineWithStatusAndCounts) {
  const Topology topology{.components = {{"receiver/otlp", "receiver", "otlp", "otlp", {"traces"}},
                                         {"exporter/zp", "exporter", "zp", "otlp_grpc", {"traces"}},
                                         {"extension/zpages", "extension", "zpages", "zpages", {}}},
                          .edges = {{"receiver/otlp", "exporter/zp", "traces", "traces"}}};
  counter(pipeline::kOutputItems, "", {{"component", "receiver/otlp"}, {"signal", "traces"}})
      .add(4711);
  const std::vector<ComponentStatus> statuses = {
      {"exporter/zp", {StatusKind::RecoverableError, "no <route> to \"host\""}, 0}};
  const std::string page = pipeline_page(topology, statuses);
  EXPECT_NE(page.find("StatusRecoverableError"), std::string::npos);
  EXPECT_NE(page.find("no &lt;route&gt; to &quot;host&quot;"), std::string::npos);
  EXPECT_EQ(page.find("<route>"), std::string::npos);
  EXPECT_NE(page.find("<td>4711</td>"), std::string::npos);
  EXPECT_EQ(page.find("extension/zpages"), std::string::npos);
  EXPECT_NE(extension_page(topology, statuses).find("<td>zpages</td><td>StatusNone</td>"),
            std::string::npos);
  EXPECT_NE(pipeline_page({}, {}).find("No pipeline runs"), std::string::npos);
}

TEST(Zpages, CountsEachPipelineOfAConnectorThatChooses) {
  const std::string from = "connector/zp_choice@traces";
  const Topology topology{
      .components = {{from, "connector", "zp_choice", "round_robin", {"traces/a", "traces/b"}}},
      .edges = {{from, "exporter/a", "traces/a", "traces"},
                {from, "exporter/b", "traces/b", "traces"}}};
  for (const auto& [pipeline, items] : {std::pair("traces/a", 1815), std::pair("traces/b", 1914)}) {
    counter(pipeline::kOutputItems, "",
            {{"component", from}, {"signal", "traces"}, {"pipeline", pipeline}})
        .add(static_cast<uint64_t>(items));
  }
  const std::string page = pipeline_page(topology, {});
  EXPECT_NE(page.find("<td>1815</td>"), std::string::npos) << page;
  EXPECT_NE(page.find("<td>1914</td>"), std::string::npos);
}

TEST(Zpages, ShowsTheGatesAndTheVersion) {
  const pipeline::ProcessFacts facts{
      .gates = {{"service.AllowNoPipelines", "Alpha", "Takes none.", "v0.122.0", true}},
      .version = "1.2.3",
      .started_unix_ns = 0};
  EXPECT_NE(feature_page(facts).find("<td>service.AllowNoPipelines</td><td>true</td>"),
            std::string::npos);
  EXPECT_NE(service_page(facts).find("<td>1.2.3</td>"), std::string::npos);
  EXPECT_NE(service_page(facts).find("1970-01-01T00:00:00Z"), std::string::npos);
  EXPECT_NE(trace_page().find("no spans"), std::string::npos);
}

}  // namespace
}  // namespace sonde::zpages
