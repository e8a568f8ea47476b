// SPDX-License-Identifier: Apache-2.0
// What one point may carry: buckets, quantiles and exemplars without end, and lines of the page.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "components/exporter/prometheus/metric_store.h"
#include "data/metric_writer.h"
#include "data/text.h"

namespace sonde {
namespace {

constexpr int64_t kNow = 1'700'000'000'000'000'000;
constexpr std::chrono::seconds kExpiry{10};
constexpr int64_t kExpired = kNow + 11'000'000'000;

Batch histogram(int64_t i, size_t size, std::string_view label = "v",
                Temporality temporality = Temporality::Cumulative) {
  std::vector<double> bounds;
  for (size_t n = 0; n < size; n++) bounds.push_back(static_cast<double>(n));
  const std::vector<uint64_t> buckets(size + 1, 1);
  MetricBatchBuilder b;
  b.histogram({.name = "h", .temporality = temporality});
  b.histogram_point({{"i", i}, {"k", label}},
                    {.count = size + 1, .sum = 1, .bounds = bounds, .buckets = buckets}, {});
  return b.build();
}

Batch summary(int64_t i, size_t size) {
  std::string text =
      "metrics\n  resource\n    scope\n      metric\n        name: \"s\"\n"
      "        summary\n          point\n            i = " +
      std::to_string(i) + "\n";
  for (size_t n = 0; n < size; n++) {
    text += "            at\n              quantile: 0." + std::to_string(100'000 + n) +
            "\n              value: 1.0\n";
  }
  auto batch = from_text(text);
  EXPECT_TRUE(batch) << batch.error().message;
  return batch ? std::move(*batch) : Batch();
}

void expect_bounded(MetricStore& store) {
  EXPECT_LE(store.kept_bytes(), store.most_kept_bytes());
  EXPECT_LE(store.page_bytes(), store.most_page_bytes());
  EXPECT_LE(store.expose(kNow).size(), store.most_page_bytes());
}

void expect_nothing_left(MetricStore& store) {
  EXPECT_EQ(store.expose(kExpired), "");
  EXPECT_EQ(store.series(), 0u);
  EXPECT_EQ(store.kept_bytes(), 0u);
  EXPECT_EQ(store.page_bytes(), 0u);
}

TEST(MetricStoreBounds, CountsTheBucketsOfHistograms) {
  MetricStore store({.max_series = 100, .expiry = kExpiry});
  for (int64_t i = 0; i < 50; i++) store.add(histogram(i, 10'000), kNow);

  EXPECT_GT(store.refused(MetricStore::Refusal::Full), 30u);
  EXPECT_EQ(store.refused(MetricStore::Refusal::Full) + store.series(), 50u);
  EXPECT_GT(store.series(), 2u);
  expect_bounded(store);
  expect_nothing_left(store);
}

TEST(MetricStoreBounds, CountsTheQuantilesOfSummaries) {
  MetricStore store({.max_series = 100, .expiry = kExpiry});
  for (int64_t i = 0; i < 20; i++) store.add(summary(i, 4'000), kNow);

  EXPECT_GT(store.refused(MetricStore::Refusal::Full), 5u);
  EXPECT_EQ(store.refused(MetricStore::Refusal::Full) + store.series(), 20u);
  expect_bounded(store);
  expect_nothing_left(store);
}

TEST(MetricStoreBounds, CountsTheLabelsThatEachLineOfAHistogramRepeats) {
  MetricStore store({.max_series = 100, .expiry = kExpiry});
  for (int64_t i = 0; i < 20; i++) store.add(histogram(i, 100, std::string(20'000, 'x')), kNow);

  EXPECT_GT(store.refused(MetricStore::Refusal::Full), 15u);
  EXPECT_EQ(store.refused(MetricStore::Refusal::Full) + store.series(), 20u);
  EXPECT_LT(store.kept_bytes(), store.most_kept_bytes() / 2);
  expect_bounded(store);
  expect_nothing_left(store);
}

TEST(MetricStoreBounds, CountsExemplars) {
  constexpr size_t kBuckets = 3'000;
  std::string text =
      "metrics\n  resource\n    scope\n      metric\n        name: \"h\"\n"
      "        histogram\n          temporality: cumulative\n          point\n"
      "            count: 1\n            bounds: [";
  for (size_t n = 0; n < kBuckets; n++) text += (n > 0 ? ", " : "") + std::to_string(n) + ".0";
  text += "]\n";
  for (size_t n = 0; n < kBuckets; n++) {
    text += "            exemplar\n              value: " + std::to_string(n) + ".0\n" +
            "              trace_id: 0102030405060708090a0b0c0d0e0f10\n";
  }
  for (const bool kept : {false, true}) {
    MetricStore store({.max_series = 100, .expiry = kExpiry, .exemplars = kept});
    for (int64_t i = 0; i < 20; i++) {
      auto batch = from_text(text + "            i = " + std::to_string(i) + "\n");
      ASSERT_TRUE(batch) << batch.error().message;
      store.add(*batch, kNow);
    }
    EXPECT_EQ(store.refused(MetricStore::Refusal::Full) + store.series(), 20u);
    EXPECT_EQ(store.refused(MetricStore::Refusal::Full) > 5, kept);
    EXPECT_LE(store.kept_bytes(), store.most_kept_bytes());
    EXPECT_LE(store.expose(kNow, {.open_metrics = true}).size(), store.most_page_bytes());
    expect_nothing_left(store);
  }
}

// What a series had before makes room for what it gets.
TEST(MetricStoreBounds, LetsASeriesChangeItsBucketsAsLongAsThereIsRoom) {
  MetricStore store({.max_series = 1, .expiry = kExpiry});
  store.add(histogram(1, 40'000), kNow);
  ASSERT_EQ(store.series(), 1u);
  const size_t before = store.kept_bytes();
  store.add(histogram(1, 100'000), kNow);
  EXPECT_EQ(store.refused(MetricStore::Refusal::Full), 1u);
  EXPECT_EQ(store.kept_bytes(), before);
  EXPECT_NE(store.expose(kNow).find("h_count{i=\"1\",k=\"v\"} 40001\n"), std::string::npos);
  store.add(histogram(1, 41'000), kNow);
  EXPECT_EQ(store.refused(MetricStore::Refusal::Full), 1u);
  EXPECT_NE(store.expose(kNow).find("h_count{i=\"1\",k=\"v\"} 41001\n"), std::string::npos);
  store.add(histogram(1, 1), kNow);
  EXPECT_LT(store.kept_bytes(), 100u);
  EXPECT_LT(store.page_bytes(), 1'000u);
  expect_nothing_left(store);
}

TEST(MetricStoreBounds, AddsDeltasOfTheSameBoundsAndBeginsAnewWithOthers) {
  MetricStore store({.expiry = kExpiry});
  const auto add = [&](size_t size) {
    store.add(histogram(1, size, "v", Temporality::Delta), kNow);
    return store.expose(kNow);
  };
  add(2);
  const std::string twice = add(2);
  EXPECT_NE(twice.find("h_count{i=\"1\",k=\"v\"} 6\n"), std::string::npos) << twice;
  EXPECT_NE(twice.find(",le=\"0\"} 2\n"), std::string::npos) << twice;
  EXPECT_NE(twice.find("h_sum{i=\"1\",k=\"v\"} 2\n"), std::string::npos) << twice;
  const std::string other = add(1);
  EXPECT_NE(other.find("h_count{i=\"1\",k=\"v\"} 2\n"), std::string::npos) << other;
  EXPECT_NE(other.find("h_sum{i=\"1\",k=\"v\"} 1\n"), std::string::npos) << other;
  expect_nothing_left(store);
}

}  // namespace
}  // namespace sonde
