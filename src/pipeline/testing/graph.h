// SPDX-License-Identifier: Apache-2.0
// Graphs of pipelines from the text of a configuration, for tests of what is built of them.
#pragma once

#include <gtest/gtest.h>

#include <string_view>
#include <utility>

#include "config/graph.h"
#include "config/yaml.h"

namespace sonde::pipeline {

// Fails the test where the text is no configuration.
inline config::Graph graph(std::string_view text) {
  auto value = config::parse_yaml(text, "s.yaml");
  EXPECT_TRUE(value) << value.error().message;
  auto built = config::build_graph(*value);
  EXPECT_TRUE(built) << built.error().message;
  return std::move(*built);
}

}  // namespace sonde::pipeline
