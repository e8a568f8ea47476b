// SPDX-License-Identifier: Apache-2.0
// How a watched batch is told, at its bounds; the stream itself is read in tests/e2e/test_tap.py.
#include "components/extension/console/taps.h"

#include <gtest/gtest.h>

#include "pipeline/testing/spans.h"

namespace sonde::console {
namespace {

pipeline::TapSample sample_of(int count, const std::string& name = "checkout") {
  Batch batch = pipeline::spans(count, {}, name);
  return {.signal = batch.signal, .chunks = batch.chunks, .items = batch.items()};
}
bool has(const std::string& json, const std::string& part) {
  return json.find(part) != std::string::npos;
}

TEST(Taps, ShowsTheFirstRecordsOfABatchAsText) {
  auto sample = sample_of(25);
  sample.skipped_batches = 4;
  sample.skipped_items = 100;
  const std::string json = tap_json(sample, 5);
  EXPECT_TRUE(has(json, R"("time":5,"signal":"traces","items":25,)")) << json;
  EXPECT_TRUE(has(json, R"("shown":10,"cut":false,"skipped_batches":4,"skipped_items":100,)"));
  EXPECT_TRUE(has(json, R"(name: \"checkout\")"));
  size_t spans = 0;
  for (size_t at = 0; (at = json.find("span_id", at)) != std::string::npos; ++at) ++spans;
  EXPECT_EQ(spans, kTapItems);
}

TEST(Taps, ShowsAsManyOfSeveralChunks) {
  auto sample = sample_of(6);
  sample.chunks.push_back(sample.chunks[0]);
  sample.chunks.push_back(sample.chunks[0]);
  sample.items = 18;
  EXPECT_TRUE(has(tap_json(sample, 0), R"("items":18,)"));
  EXPECT_TRUE(has(tap_json(sample, 0), R"("shown":10,)"));
}

TEST(Taps, CutsLongTextAndLeavesOutWhatIsTooLarge) {
  const std::string json = tap_json(sample_of(3, std::string(kTapText, 'x')), 0);
  EXPECT_TRUE(has(json, R"("cut":true)"));
  EXPECT_LT(json.size(), kTapText + 1000);
  const std::string large = tap_json(sample_of(1, std::string(kTapChunk, 'x')), 0);
  EXPECT_TRUE(has(large, "too large to be shown")) << large.substr(0, 300);
  EXPECT_LT(large.size(), 1000u);
}

TEST(Taps, ShowsWhatCannotBeParsedAsThat) {
  pipeline::TapSample sample{.signal = Signal::Logs, .chunks = {Bytes::copy("\x0a\xff no OTLP")}};
  EXPECT_TRUE(has(tap_json(sample, 0), "malformed"));
}

}  // namespace
}  // namespace sonde::console
