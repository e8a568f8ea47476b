// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "data/span_writer.h"
#include "pipeline/test_host.h"

const sonde::pipeline::ComponentType& sonde_component_processor_probabilistic_sampler();

namespace sonde {
namespace {

// How many of 10,000 spans with different trace ids are kept.
size_t kept(double percentage, uint32_t seed) {
  pipeline::CollectingSink sink;
  config::Value settings = config::Value::map();
  settings.set("sampling_percentage", config::Value::integer_value(int64_t(percentage)));
  settings.set("hash_seed", config::Value::integer_value(seed));
  auto sampler = sonde_component_processor_probabilistic_sampler().create(
      settings, "probabilistic_sampler", {.traces = &sink});
  EXPECT_TRUE(sampler) << sampler.error().message;
  TraceBatchBuilder builder;
  uint64_t state = 1;
  for (int i = 0; i < 10'000; ++i) {
    std::string id(16, '\0');
    for (char& c : id) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      c = static_cast<char>(state >> 56);
    }
    builder.span({.trace_id = id, .span_id = "01234567", .name = "a"});
  }
  (*sampler)->consume(builder.build());
  size_t total = 0;
  for (const Batch& batch : sink.batches) total += count_records(batch);
  return total;
}

TEST(ProbabilisticSampler, KeepsTheShareItWasAskedFor) {
  EXPECT_EQ(kept(0, 0), 0u);
  EXPECT_EQ(kept(100, 0), 10'000u);
  EXPECT_NEAR(static_cast<double>(kept(10, 0)), 1000, 150);
  EXPECT_NEAR(static_cast<double>(kept(50, 7)), 5000, 300);
}

TEST(ProbabilisticSampler, DecidesTheSameTwice) { EXPECT_EQ(kept(25, 22), kept(25, 22)); }

}  // namespace
}  // namespace sonde
