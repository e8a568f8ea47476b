// SPDX-License-Identifier: Apache-2.0
#include "pipeline/introspection/health.h"

#include <gtest/gtest.h>

namespace sonde::pipeline {
namespace {

using enum StatusKind;

class HealthTest : public testing::Test {
 protected:
  void add(std::string kind, std::string id, std::vector<std::string> pipelines, Status status,
           int64_t since) {
    const std::string key = component_key(kind, id);
    topology.components.push_back(
        {.key = key, .kind = kind, .id = id, .type = id, .pipelines = std::move(pipelines)});
    statuses.push_back({key, std::move(status), since});
  }
  Health all(bool ready = true, WorseError worse = WorseError::Permanent) {
    return health_of(topology, statuses, ready, worse);
  }
  Topology topology;
  std::vector<ComponentStatus> statuses;
};

TEST_F(HealthTest, IsNothingWithoutComponentsAndOkWhenAllAre) {
  EXPECT_EQ(all().status.kind, None);
  add("receiver", "otlp", {"traces", "logs"}, {Ok}, 5);
  add("extension", "zpages", {}, {Ok}, 3);
  const Health health = all();
  EXPECT_EQ(health.status.kind, Ok);
  EXPECT_EQ(health.since_unix_ns, 5);
  ASSERT_EQ(health.parts.size(), 3u);
  EXPECT_TRUE(health.parts.at("extensions").parts.contains("extension:zpages"));
  EXPECT_TRUE(scope_of(health, "logs")->parts.contains("receiver:otlp"));
  EXPECT_EQ(scope_of(health, ""), &health);
  EXPECT_EQ(scope_of(health, "extensions")->since_unix_ns, 3);
  EXPECT_EQ(scope_of(health, "metrics"), nullptr);
}

TEST_F(HealthTest, IsTheWorstOfItsPartsSinceThatBegan) {
  add("receiver", "otlp", {"traces"}, {Ok}, 9);
  add("exporter", "a", {"traces"}, {RecoverableError, "refused"}, 7);
  add("exporter", "b", {"traces"}, {RecoverableError, "timed out"}, 4);
  EXPECT_EQ(all().status.kind, RecoverableError);
  EXPECT_EQ(all().status.error, "timed out");
  EXPECT_EQ(all().since_unix_ns, 4);
  add("exporter", "c", {"logs"}, {PermanentError, "no such table"}, 8);
  EXPECT_EQ(all().status.error, "no such table");
  EXPECT_EQ(all(true, WorseError::Recoverable).status.error, "timed out");
  EXPECT_EQ(scope_of(all(), "traces")->status.kind, RecoverableError);
  add("exporter", "d", {"logs"}, {FatalError, "gone"}, 9);
  EXPECT_EQ(all().status.kind, FatalError);
}

TEST_F(HealthTest, DoesNotGoBackAndForthWhileItStartsOrStops) {
  add("exporter", "a", {"traces"}, {Ok}, 1);
  EXPECT_EQ(all(false).status.kind, Starting);
  add("receiver", "otlp", {"traces"}, {Starting}, 2);
  EXPECT_EQ(all(false).status.kind, Starting);
  statuses[1].status.kind = Stopped;
  EXPECT_EQ(all(false).status.kind, Stopping);
  statuses[0].status.kind = Stopped;
  EXPECT_EQ(all(false).status.kind, Stopped);
}

TEST_F(HealthTest, AsksTheRuleWhetherAnErrorIsHealthy) {
  const Health recoverable{.status = {RecoverableError, "x"}, .since_unix_ns = 100};
  EXPECT_TRUE(is_healthy(recoverable, {}, 1'000));
  const HealthRule rule{.recoverable = true, .recovery = Duration(50)};
  EXPECT_TRUE(is_healthy(recoverable, rule, 149));
  EXPECT_FALSE(is_healthy(recoverable, rule, 150));
  const Health permanent{.status = {PermanentError, "x"}};
  EXPECT_TRUE(is_healthy(permanent, {}, 0));
  EXPECT_FALSE(is_healthy(permanent, {.permanent = true}, 0));
  EXPECT_FALSE(is_healthy({.status = {FatalError, "x"}}, {}, 0));
}

}  // namespace
}  // namespace sonde::pipeline
