// SPDX-License-Identifier: Apache-2.0
//
// Settings of components are taken and refused as a real Collector takes and refuses them:
// tests/config/settings.answers holds its answers.
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "components/all.h"
#include "config/yaml.h"
#include "pipeline/component.h"

namespace sonde::app {
namespace {

struct Answers {
  std::string kind, type;
  std::vector<std::pair<bool, std::string>> settings;  // Whether the Collector takes them.
};

std::string on_lines(std::string text) {
  constexpr std::string_view kBreak = " ;; ";
  for (size_t at = 0; (at = text.find(kBreak, at)) != std::string::npos;) {
    text.replace(at, kBreak.size(), "\n");
  }
  return text;
}

std::vector<Answers> read_answers() {
  std::vector<Answers> out;
  std::ifstream file(SONDE_SOURCE_DIR "/tests/config/settings.answers");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("== ")) {
      const size_t space = line.find(' ', 3);
      out.push_back({line.substr(3, space - 3), line.substr(space + 1), {}});
    } else if (!out.empty() && line.size() > 1) {
      out.back().settings.emplace_back(line.front() == '+', on_lines(line.substr(2)));
    }
  }
  return out;
}

const pipeline::ComponentType* type_of(const Answers& asked) {
  for (const pipeline::ComponentType* type : all_components()) {
    if (pipeline::kind_name(type->kind) == asked.kind && type->answers_to(asked.type)) return type;
  }
  return nullptr;
}

// The pipeline that the Collector was asked about is one of traces where the component has those.
Signal asked_for(const pipeline::ComponentType& type) {
  return type.in.traces || type.out.traces ? Signal::Traces : Signal::Metrics;
}

class Settings : public testing::TestWithParam<Answers> {};

TEST_P(Settings, AreTakenAndRefusedAsByTheCollector) {
  const pipeline::ComponentType* type = type_of(GetParam());
  ASSERT_NE(type, nullptr);
  ASSERT_FALSE(GetParam().settings.empty());
  for (const auto& [taken, text] : GetParam().settings) {
    auto value = config::parse_yaml(text, "asked.yaml");
    ASSERT_TRUE(value) << text << value.error().message;
    auto checked = type->check(*value, GetParam().type);
    if (checked && type->check_signal) {
      checked = type->check_signal(*value, GetParam().type, asked_for(*type));
    }
    EXPECT_EQ(checked.has_value(), taken) << text << "\n"
                                          << (checked ? "" : checked.error().message);
  }
}

INSTANTIATE_TEST_SUITE_P(Asked, Settings, testing::ValuesIn(read_answers()),
                         [](const auto& info) { return info.param.kind + "_" + info.param.type; });

}  // namespace
}  // namespace sonde::app
