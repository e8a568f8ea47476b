// SPDX-License-Identifier: Apache-2.0
// Levels and the replaceable sink of the log.
#include "base/log.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sonde {
namespace {

TEST(Log, FormatsAndFiltersByLevel) {
  std::vector<std::string> lines;
  set_log_sink([&](LogLevel, std::string_view line) { lines.emplace_back(line); });
  log_debug("hidden {}", 1);
  log_info("listening on {}:{}", "127.0.0.1", 4400);
  set_log_level(LogLevel::Error);
  log_warn("hidden");
  log_error("bad {}", "thing");
  set_log_level(LogLevel::Info);
  set_log_sink(nullptr);
  EXPECT_EQ(lines, (std::vector<std::string>{"listening on 127.0.0.1:4400", "bad thing"}));
}

}  // namespace
}  // namespace sonde
