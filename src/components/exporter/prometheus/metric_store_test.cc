// SPDX-License-Identifier: Apache-2.0
// What peers may do to the page: fill it, turn back, end a series, give names that it cannot show.
#include "components/exporter/prometheus/metric_store.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "data/metric_writer.h"
#include "data/text.h"

namespace sonde {
namespace {

constexpr int64_t kNow = 1'700'000'000'000'000'000;

void add_gauge(MetricStore& store, std::string_view name) {
  MetricBatchBuilder b;
  b.gauge({.name = name}).point({}, 1.0, {});
  store.add(b.build(), kNow);
}

TEST(MetricStore, KeepsNothingOfNamesPastTheCap) {
  MetricStore store({.max_series = 2});
  for (int i = 0; i < 1000; i++) add_gauge(store, fmt::format("name{}", i));

  EXPECT_EQ(store.series(), 2u);
  EXPECT_EQ(store.families(), 2u);
  EXPECT_EQ(store.refused(MetricStore::Refusal::Full), 998u);
}

TEST(MetricStore, KeepsNothingOfMetricsWithoutPoints) {
  MetricStore store({});
  auto batch = from_text(
      "metrics\n  resource\n    scope\n      metric\n        name: \"a\"\n        gauge\n");
  ASSERT_TRUE(batch) << batch.error().message;

  store.add(*batch, kNow);

  EXPECT_EQ(store.families(), 0u);
}

TEST(MetricStore, CountsPointsOfAnotherTypeApart) {
  MetricStore store({});
  add_gauge(store, "a_total");
  MetricBatchBuilder b;
  b.sum({.name = "a"}).point({}, int64_t{1}, {}).point({{"k", "v"}}, int64_t{1}, {});
  b.sum({.name = "target.info", .monotonic = false}).point({}, int64_t{7}, {});
  store.add(b.build(), kNow);

  EXPECT_EQ(store.refused(MetricStore::Refusal::OtherType), 2u);
  EXPECT_EQ(store.refused(MetricStore::Refusal::Full), 0u);
}

TEST(MetricStore, ShowsNoTargetInfoUnderAnotherType) {
  MetricStore store({});
  MetricBatchBuilder b;
  b.histogram({.name = "target.info"});
  b.histogram_point({}, {.count = 1, .sum = 1}, {});
  store.add(b.build(), kNow);
  MetricBatchBuilder of_service;
  of_service.resource({{"service.name", "shop"}}).gauge({.name = "a"}).point({}, 1.0, {});
  store.add(of_service.build(), kNow);

  const std::string text = store.expose(kNow);

  EXPECT_NE(text.find("# TYPE target_info histogram\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("target_info_count{job"), std::string::npos) << text;
  EXPECT_EQ(store.refused(MetricStore::Refusal::OtherType), 1u);
}

}  // namespace
}  // namespace sonde
