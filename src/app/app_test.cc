// SPDX-License-Identifier: Apache-2.0
// The configuration of `sonde up`: every combination of flags must be one that the engine would
// take.
#include "app/app.h"

#include <gtest/gtest.h>

#include "app/schema.h"
#include "app/unknown_word.h"
#include "app/up.h"
#include "components/all.h"
#include "config/graph.h"
#include "config/yaml.h"
#include "pipeline/engine.h"

namespace sonde::app {
namespace {

testing::AssertionResult takes(const UpOptions& options) {
  auto text = up_config(options);
  if (!text) return testing::AssertionFailure() << text.error().message;
  auto root = config::parse_yaml(*text, "up.yaml");
  if (!root) return testing::AssertionFailure() << root.error().message << "\n" << *text;
  auto graph = config::build_graph(*root);
  if (!graph) return testing::AssertionFailure() << graph.error().message << "\n" << *text;
  auto engine = pipeline::Engine::create(*graph, all_components());
  if (!engine) return testing::AssertionFailure() << engine.error().message << "\n" << *text;
  return testing::AssertionSuccess();
}

TEST(Up, MakesAConfigurationThatTheEngineTakes) {
  EXPECT_TRUE(takes({}));
  EXPECT_TRUE(takes({.include = {"name=a\"b$c*", "port=80"},
                     .exclude = {"exe=*curl"},
                     .sample_rate = 1,
                     .otlp_endpoint = "",
                     .port = 4400}));
  for (const char* to :
       {"localhost", "10.0.0.1:4317", "http://h:4317", "http://h:4318", "http://h"}) {
    EXPECT_TRUE(takes(
        {.include = {}, .exclude = {}, .sample_rate = 0.1, .otlp_endpoint = to, .port = 4400}))
        << to;
  }
}

Result<> engine_takes(const std::string& text) {
  const config::Value root = TRY(config::parse_yaml(text, "test.yaml"));
  const config::Graph graph = TRY(config::build_graph(root));
  (void)TRY(pipeline::Engine::create(graph, all_components()));
  return {};
}

TEST(Opaque, IsTakenWhereNothingLooksInside) {
  const auto with = [](std::string_view processors, std::string_view exporter) {
    return engine_takes(fmt::format(R"(
receivers:
  otlp: {{opaque: true, protocols: {{grpc: {{endpoint: "localhost:0"}}}}}}
processors:
  memory_limiter: {{check_interval: 1s, limit_mib: 100}}
  batch: {{}}
connectors:
  forward: {{}}
exporters:
  otlp_grpc: {{endpoint: "localhost:1", tls: {{insecure: true}}}}
  otlp_grpc/batch: {{endpoint: "localhost:1", tls: {{insecure: true}}, sending_queue: {{batch: {{}}}}}}
  nop: {{}}
  debug: {{}}
service:
  pipelines:
    traces/first: {{receivers: [otlp], processors: [{}], exporters: [nop, forward]}}
    traces/last: {{receivers: [forward], exporters: [{}]}}
)",
                                    processors, exporter));
  };
  const auto taken = with("memory_limiter", "otlp_grpc");
  EXPECT_TRUE(taken) << taken.error().message;
  for (const auto& [processors, exporter] :
       {std::pair("batch", "otlp_grpc"), std::pair("", "otlp_grpc/batch"),
        std::pair("", "debug")}) {
    const auto refused = with(processors, exporter);
    ASSERT_FALSE(refused) << processors << exporter;
    EXPECT_TRUE(refused.error().message.starts_with("receivers::otlp: opaque: a component that"))
        << refused.error().message;
  }
}

TEST(Up, PicksTheProtocolByPortAndScheme) {
  UpOptions o;
  o.otlp_endpoint = "h";
  EXPECT_NE(up_config(o)->find("otlp_grpc:\n    endpoint: \"h:4317\""), std::string::npos);
  o.otlp_endpoint = "http://h:4318/";
  EXPECT_NE(up_config(o)->find("otlp_http:\n    endpoint: \"http://h:4318\""), std::string::npos);
}

TEST(Up, SaysWhichFlagIsWrongAndHowToWriteIt) {
  UpOptions o;
  o.include = {"nam=x"};
  auto r = up_config(o);
  ASSERT_FALSE(r);
  EXPECT_TRUE(r.error().message.starts_with("--include: \"nam=x\" is not KEY=GLOB"))
      << r.error().message;
  o = {};
  o.sample_rate = 2;
  EXPECT_FALSE(up_config(o));
}

std::string answer_to(std::vector<std::string> arguments) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(run(std::move(arguments)), 2);
  return testing::internal::GetCapturedStderr();
}

TEST(CommandLine, NamesTheNearestCommandAndFlag) {
  EXPECT_EQ(answer_to({"upp"}), "sonde: there is no command \"upp\"; did you mean \"up\"?\n");
  EXPECT_EQ(answer_to({"valdate", "--config", "x"}),
            "sonde: there is no command \"valdate\"; did you mean \"validate\"?\n");
  EXPECT_EQ(answer_to({"elephants"}),
            "sonde: there is no command \"elephants\"; sonde --help lists them\n");
  EXPECT_EQ(answer_to({"up", "--prot", "1"}),
            "sonde: there is no flag \"--prot\"; did you mean \"--port\"?\n");
  EXPECT_EQ(answer_to({"up", "--otlp-endpont=x"}),
            "sonde: there is no flag \"--otlp-endpont\"; did you mean \"--otlp-endpoint\"?\n");
  EXPECT_NE(answer_to({}), "");
}

TEST(CommandLine, RunsWhatFlagsAloneSayAsACollectorDoes) {
  EXPECT_NE(answer_to({"--config", "yaml:receivers: 1"}).find("receivers"), std::string::npos);
  EXPECT_NE(answer_to({"--set=a=b", "--config=yaml:exporters: 1"}).find("exporters"),
            std::string::npos);
  EXPECT_EQ(answer_to({"--confg", "x"}),
            "sonde: there is no flag \"--confg\"; did you mean \"--config\"?\n");
  testing::internal::CaptureStdout();
  EXPECT_EQ(run({"-v"}), 0);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), SONDE_VERSION "\n");
  testing::internal::CaptureStdout();
  EXPECT_EQ(run({"print-initial-config", "up"}), 0);
  EXPECT_NE(testing::internal::GetCapturedStdout().find("receivers:"), std::string::npos);
}

TEST(CommandLine, TakesEveryFlagOfItsCommand) {
  EXPECT_EQ(unknown_word({"a", "--x=1", "-c", "--", "--y"}, {{"a", {"--x"}}}), "");
  EXPECT_EQ(unknown_word({"--version"}, {}), "");
  EXPECT_NE(unknown_word({"a", "--y"}, {{"a", {"--x"}}, {"b", {"--y"}}}), "");
}

TEST(Schema, NamesEveryComponent) {
  std::string text = components_schema(all_components());
  for (auto* t : all_components()) {
    EXPECT_NE(text.find(std::string(t->name)), std::string::npos) << t->name;
  }
}

}  // namespace
}  // namespace sonde::app
