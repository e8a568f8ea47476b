// SPDX-License-Identifier: Apache-2.0
#include "base/buffer.h"
#include "base/system_memory.h"
#include "components/processor/memory_limiter/limits.h"
#include "pipeline/test_component.h"

const sonde::pipeline::ComponentType& sonde_component_processor_memory_limiter();

namespace sonde {
namespace {

using memory_limiter::limits_of;
using pipeline::TestComponent;

constexpr uint64_t kMib = 1 << 20;
constexpr std::string_view kSpan =
    "traces\n  resource\n    scope\n      span\n        name: \"n\"\n";

TEST(MemoryLimiter, ComputesItsLimits) {
  EXPECT_EQ(limits_of({.limit_mib = 100}, 0)->soft, 80 * kMib);
  EXPECT_EQ(limits_of({.limit_mib = 100, .spike_limit_mib = 30}, 0)->soft, 70 * kMib);
  EXPECT_EQ(limits_of({.limit_percentage = 50, .spike_limit_percentage = 10}, 1000 * kMib)->hard,
            500 * kMib);
  EXPECT_EQ(limits_of({.limit_percentage = 50, .spike_limit_percentage = 10}, 1000 * kMib)->soft,
            400 * kMib);
  EXPECT_FALSE(limits_of({.limit_mib = 10, .spike_limit_mib = 10}, 0));
  EXPECT_FALSE(limits_of({}, 1000 * kMib));
}

TEST(MemoryLimiter, KnowsTheMachineAndItself) {
  ASSERT_TRUE(total_memory());
  EXPECT_GT(*total_memory(), resident_memory());
  EXPECT_GT(resident_memory(), kMib);
}

TEST(MemoryLimiter, RefusesForATimeNotForGood) {
  TestComponent limiter(sonde_component_processor_memory_limiter(),
                        "{check_interval: 1s, limit_mib: 1}");
  ASSERT_EQ(limiter.error, "");
  EXPECT_EQ(limiter.give(kSpan), "");
  EXPECT_EQ(limiter.outcome.kind, Outcome::Failed);
  EXPECT_EQ(limiter.outcome.error.kind, ErrorKind::Exhausted);
  EXPECT_EQ(limiter.outcome.error.retry_after, std::chrono::seconds(1));
  limiter.component->stop();
}

TEST(MemoryLimiter, RefusesABurstBeforeItMeasuresAgain) {
  const uint64_t limit = resident_memory() / kMib + 64;
  TestComponent limiter(
      sonde_component_processor_memory_limiter(),
      "{check_interval: 1h, spike_limit_mib: 1, limit_mib: " + std::to_string(limit) + "}");
  ASSERT_EQ(limiter.error, "");
  EXPECT_NE(limiter.give(kSpan), "");
  {
    // Not touched, so not resident: it is the buffers that are counted.
    const Buffer burst(128 * kMib);
    EXPECT_EQ(limiter.give(kSpan), "");
    EXPECT_EQ(limiter.outcome.kind, Outcome::Failed);
  }
  EXPECT_NE(limiter.give(kSpan), "");
  limiter.component->stop();
}

TEST(MemoryLimiter, NeedsAnIntervalAndALimit) {
  const auto refusal = [](std::string_view settings) {
    return TestComponent(sonde_component_processor_memory_limiter(), settings).error;
  };
  EXPECT_NE(refusal("{check_interval: 0s, limit_mib: 9}").find("more than 0"), std::string::npos);
  EXPECT_NE(refusal("{check_interval: 1s}").find("give limit_mib"), std::string::npos);
}

}  // namespace
}  // namespace sonde
