// SPDX-License-Identifier: Apache-2.0
//
// Configurations that people really use (tests/configurations/) must be taken, or refused with
// every component named that is not there yet and nothing else. A line `# gap: TEXT` in a file
// allows for one more message that contains TEXT: a setting that a component which is there still
// lacks.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "app/configuration.h"
#include "components/all.h"
#include "config/print.h"
#include "config/resolve.h"
#include "pipeline/check.h"

namespace sonde::app {
namespace {

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> lines_with(const std::string& text, std::string_view prefix) {
  std::vector<std::string> out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(prefix)) out.push_back(line.substr(prefix.size()));
  }
  return out;
}

// The messages of an error, without the lines that show the place.
std::vector<std::string> messages(const Error& error) {
  std::vector<std::string> out = lines_with(error.message, "");
  std::erase_if(out, [](const std::string& line) { return line.starts_with("  "); });
  return out;
}

// A variable is set unless the file has a default for it.
config::Providers providers(std::string text = {}) {
  return config::local_providers(
      [text = std::move(text)](std::string_view name) -> std::optional<std::string> {
        if (text.contains("${env:" + std::string(name) + ":-")) return std::nullopt;
        return name.ends_with("_IP") ? "10.1.2.3" : "from-env";
      });
}

class UsedConfiguration : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(UsedConfiguration, IsTakenOrRefusedForWhatIsNotThereYet) {
  const std::string text = read(GetParam());
  auto resolved = config::resolve({GetParam().string()}, providers(text));
  ASSERT_TRUE(resolved) << resolved.error().message;
  auto graph = config::build_graph(resolved->root);
  ASSERT_TRUE(graph) << graph.error().message;
  std::vector<std::string> wanted;
  for (const config::ComponentNode& node : graph->components) {
    auto type = pipeline::find_type(all_components(), node);
    if (!type) wanted.push_back(messages(type.error()).front());
  }
  const std::vector<std::string> gaps = lines_with(text, "# gap: ");
  const auto loaded = load_configuration({.configs = {GetParam().string()}}, providers(text));
  const std::vector<std::string> got =
      loaded ? std::vector<std::string>() : messages(loaded.error());
  for (const std::string& message : wanted) {
    EXPECT_NE(std::ranges::find(got, message), got.end()) << "it does not say: " << message;
  }
  for (const std::string& message : got) {
    const auto allowed = [&](const std::string& gap) {
      return message.find(gap) != std::string::npos;
    };
    if (std::ranges::find(wanted, message) != wanted.end()) continue;
    EXPECT_TRUE(std::ranges::any_of(gaps, allowed)) << message;
  }
}

std::vector<std::filesystem::path> all() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry :
       std::filesystem::directory_iterator(SONDE_SOURCE_DIR "/tests/configurations")) {
    if (entry.path().extension() == ".yaml") paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  return paths;
}

INSTANTIATE_TEST_SUITE_P(Configurations, UsedConfiguration, testing::ValuesIn(all()),
                         [](const auto& info) { return info.param.stem().string(); });

TEST(Configuration, ShowsEveryDefaultAndNoSecret) {
  constexpr std::string_view kText = R"(
receivers: {ebpf: }
exporters: {otlp_grpc: {endpoint: "h:1", headers: {key: hunter2}, tls: {insecure: true}}}
service: {pipelines: {traces: {receivers: [ebpf], exporters: [otlp_grpc]}}}
)";
  auto configuration = load_text(kText, "s.yaml");
  ASSERT_TRUE(configuration) << configuration.error().message;
  auto shown = effective_configuration(*configuration, false);
  ASSERT_TRUE(shown) << shown.error().message;
  const config::Value* exporter = shown->find("exporters")->find("otlp_grpc");
  EXPECT_EQ(exporter->find("headers")->find("key")->text, "[REDACTED]");
  EXPECT_NE(exporter->find("timeout"), nullptr);
  EXPECT_NE(shown->find("receivers")->find("ebpf")->find("drain_interval"), nullptr);
  auto open = effective_configuration(*configuration, true);
  ASSERT_TRUE(open);
  EXPECT_EQ(open->find("exporters")->find("otlp_grpc")->find("headers")->find("key")->text,
            "hunter2");
}

TEST(Configuration, ShowsNoHeaderOfOwnTelemetry) {
  constexpr std::string_view kText = R"(
receivers: {nop: }
exporters: {debug: }
service:
  telemetry:
    metrics: {readers: [{periodic: {exporter: {otlp: {endpoint: "h:1", headers: [{name: key, value: hunter2}]}}}}]}
    traces: {processors: [{batch: {exporter: {otlp: {headers: {key: hunter2, name: hunter2}, headers_list: key=hunter2}}}}]}
  pipelines: {traces: {receivers: [nop], exporters: [debug]}}
)";
  auto configuration = load_text(kText, "s.yaml");
  ASSERT_TRUE(configuration) << configuration.error().message;
  const auto text = [&](bool unredacted) {
    return config::to_json(*effective_configuration(*configuration, unredacted));
  };
  EXPECT_TRUE(text(true).contains("hunter2"));
  EXPECT_FALSE(text(false).contains("hunter2")) << text(false);
  EXPECT_TRUE(text(false).contains("\"name\": \"key\"")) << text(false);
}

TEST(Configuration, ListsMistakesOfPipelinesAndOfSettingsAtOnce) {
  const auto loaded = load_text(R"(
receivers: {otlp: {protocols: {grpc: {endpont: "h:1"}}}}
exporters: {debug: {verbosity: loud}}
service: {pipelines: {traces: {receivers: [otpl], exporters: [debug]}}}
)",
                                "s.yaml");
  ASSERT_FALSE(loaded);
  const std::vector<std::string> got = messages(loaded.error());
  ASSERT_EQ(got.size(), 3u) << loaded.error().message;
  EXPECT_NE(got[0].find("receivers: \"otpl\" is not configured"), std::string::npos) << got[0];
  EXPECT_NE(got[1].find("unknown key \"endpont\"; did you mean \"endpoint\"?"), std::string::npos)
      << got[1];
  EXPECT_NE(got[2].find("verbosity"), std::string::npos) << got[2];
}

TEST(Configuration, LaysSetsOverFiles) {
  const std::string base =
      "yaml:{receivers: {ebpf: }, exporters: {debug: }, service: {pipelines: {traces: {receivers: "
      "[ebpf], exporters: [debug]}}}}";
  auto loaded = load_configuration(
      {.configs = {base}, .sets = {"exporters.debug.verbosity=detailed"}}, providers());
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->root.find("exporters")->find("debug")->find("verbosity")->text, "detailed");
  EXPECT_FALSE(load_configuration({.configs = {base}, .sets = {"nothing"}}, providers()));
  EXPECT_FALSE(load_configuration({.configs = {}}, providers()));
}

}  // namespace
}  // namespace sonde::app
