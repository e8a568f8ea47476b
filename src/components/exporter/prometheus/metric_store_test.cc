// SPDX-License-Identifier: Apache-2.0
// What peers may do to the page: fill it, turn back, end a series, give names that it cannot show.
#include "components/exporter/prometheus/metric_store.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

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

TEST(MetricStore, KeepsNoMoreBytesOfLabelsThanItsSeriesMayHave) {
  MetricStore store({.max_series = 100, .expiry = std::chrono::seconds(10)});
  for (int i = 0; i < 40; i++) {
    MetricBatchBuilder b;
    b.resource({{"service.name", std::string(50'000, 'x')}, {"more", std::string(50'000, 'y')}});
    b.gauge({.name = "g"}).point({{"i", int64_t{i}}}, 1.0, {});
    b.resource({{"service.name", fmt::format("{}", i)}, {"more", std::string(50'000, 'y')}});
    b.gauge({.name = std::string(20'000, 'n') + std::to_string(i)}).point({}, 1.0, {});
    store.add(b.build(), kNow);
    EXPECT_LE(store.kept_bytes(), store.most_kept_bytes());
  }
  EXPECT_GT(store.refused(MetricStore::Refusal::Full), 20u);
  EXPECT_GT(store.series(), 8u);
  EXPECT_GT(store.kept_bytes(), store.most_kept_bytes() / 2);
  store.expose(kNow + 11'000'000'000);
  EXPECT_EQ(store.series(), 0u);
  EXPECT_EQ(store.kept_bytes(), 0u);
}

TEST(MetricStore, CountsTheLabelsOfSeriesThatEndOrBeginAnew) {
  MetricStore store({.expiry = std::chrono::seconds(10)});
  const auto add = [&](uint32_t flags, int64_t now) {
    auto batch = from_text(fmt::format(
        "metrics\n  resource\n    service.name = \"s\"\n    a = \"b\"\n    scope\n      metric\n"
        "        name: \"g\"\n        gauge\n          point\n            value: 1\n{}",
        flags != 0 ? "            flags: 1\n" : ""));
    ASSERT_TRUE(batch) << batch.error().message;
    store.add(*batch, now);
  };
  add(0, kNow);
  const size_t both = store.kept_bytes();
  EXPECT_GT(both, 0u);
  add(0, kNow + 20'000'000'000);  // Both had expired.
  EXPECT_EQ(store.kept_bytes(), both);
  add(1, kNow + 20'000'000'000);
  EXPECT_EQ(store.series(), 1u);  // target_info
  EXPECT_LT(store.kept_bytes(), both);
  store.expose(kNow + 40'000'000'000);
  EXPECT_EQ(store.kept_bytes(), 0u);
}

// Many points below a large resource, or a large scope.
TEST(MetricStore, CopiesTheLabelsOfAResourceAndAScopeForSoManyPoints) {
  for (const bool of_scope : {false, true}) {
    MetricStore store({.most_copied = 1 << 20, .scope_labels = true});
    const std::string large(20'000, 'x');
    MetricBatchBuilder b;
    if (of_scope) {
      b.scope(large);
    } else {
      b.resource({{"service.name", large}});
    }
    b.gauge({.name = "g"});
    for (int64_t i = 0; i < 2'000; i++) b.point({}, i, {});
    store.add(b.build(), kNow);
    EXPECT_GT(store.refused(MetricStore::Refusal::LongLabels), 1'900u);
    EXPECT_LT(store.refused(MetricStore::Refusal::LongLabels), 2'000u);
    EXPECT_EQ(store.series(), of_scope ? 1u : 2u);
  }
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

// A metric with one point of every kind, and `more` in each point.
Batch one_of_each(int value, int64_t seconds, std::string_view more = {}) {
  auto batch = from_text(fmt::format(R"(metrics
  resource
    scope
      metric
        name: "gauge"
        gauge
          point
            time: {1}s
            value: {0}
{2}
      metric
        name: "sum"
        sum
          temporality: cumulative
          monotonic: true
          point
            time: {1}s
            value: {0}
{2}
      metric
        name: "histogram"
        histogram
          temporality: cumulative
          point
            time: {1}s
            count: {0}
{2}
      metric
        name: "exponential"
        exponential_histogram
          temporality: cumulative
          point
            time: {1}s
            count: {0}
{2}
      metric
        name: "summary"
        summary
          point
            time: {1}s
            count: {0}
            sum: {0}.0
{2}
)",
                                     value, seconds, more));
  EXPECT_TRUE(batch) << batch.error().message;
  return batch ? std::move(*batch) : Batch();
}

std::vector<std::string> lines_of_each(int value) {
  return {fmt::format("gauge {}\n", value), fmt::format("sum_total {}\n", value),
          fmt::format("histogram_count {}\n", value), fmt::format("exponential_count {}\n", value),
          fmt::format("summary_count {}\n", value)};
}

void expect_each(MetricStore& store, int value) {
  const std::string text = store.expose(kNow);
  for (const std::string& line : lines_of_each(value)) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
}

TEST(MetricStore, KeepsTheLatestPointAndOfEqualTimesTheLast) {
  MetricStore store({});
  store.add(one_of_each(20, 100), kNow);
  store.add(one_of_each(10, 99), kNow);
  expect_each(store, 20);
  EXPECT_EQ(store.older(), 5u);

  store.add(one_of_each(15, 100), kNow);
  expect_each(store, 15);
  // Nobody knows when it was.
  store.add(one_of_each(5, 0), kNow);
  expect_each(store, 5);
  store.add(one_of_each(3, 98), kNow);
  expect_each(store, 3);
  EXPECT_EQ(store.older(), 5u);
}

TEST(MetricStore, EndsSeriesWhosePointsHaveNoRecordedValue) {
  MetricStore store({});
  store.add(one_of_each(20, 100), kNow);
  store.add(one_of_each(0, 99, "            flags: 1"), kNow);

  EXPECT_EQ(store.series(), 0u);
  EXPECT_EQ(store.families(), 0u);
  EXPECT_EQ(store.expose(kNow), "");
}

TEST(MetricStore, EndsOnlyTheSeriesThatIsNamedAndMakesNone) {
  MetricStore store({});
  auto batch = from_text(R"(metrics
  resource
    service.name = "shop"
    scope
      metric
        name: "a"
        gauge
          point
            value: 1
            k = "ends"
          point
            value: 1
            k = "stays"
          point
            flags: 1
            k = "ends"
          point
            flags: 1
            k = "never was"
          point
            value: 2
            k = "stays"
)");
  ASSERT_TRUE(batch) << batch.error().message;
  store.add(*batch, kNow);

  EXPECT_EQ(store.series(), 2u);  // With target_info.
  const std::string text = store.expose(kNow);
  EXPECT_NE(text.find("k=\"stays\"} 2\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("k=\"ends\""), std::string::npos) << text;
}

TEST(MetricStore, TakesOlderPointsOnceTheSeriesHasExpired) {
  MetricStore store({.expiry = std::chrono::seconds(10)});
  store.add(one_of_each(20, 100), kNow - 11'000'000'000);
  store.add(one_of_each(10, 99), kNow);

  expect_each(store, 10);
  EXPECT_EQ(store.older(), 0u);
}

TEST(MetricStore, OlderPointsDoNotKeepASeriesAlive) {
  MetricStore store({.expiry = std::chrono::seconds(10)});
  store.add(one_of_each(20, 100), kNow - 11'000'000'000);
  store.add(one_of_each(10, 99), kNow - 5'000'000'000);

  EXPECT_EQ(store.expose(kNow), "");
}

TEST(MetricStore, AddsOlderDeltasAndShowsTheLatestTime) {
  MetricStore store({});
  for (const uint64_t second : {100, 99}) {
    MetricBatchBuilder b;
    b.sum({.name = "a", .temporality = Temporality::Delta})
        .point({}, int64_t{2}, {.time_ns = second * 1'000'000'000});
    store.add(b.build(), kNow);
  }

  const std::string text = store.expose(kNow, {.timestamps = true});

  EXPECT_NE(text.find("a_total 4 100000\n"), std::string::npos) << text;
}

// The page of one metric whose point has the attributes.
std::string page_of(std::string_view kind, Attributes attributes, MetricStoreOptions options = {},
                    ExpositionOptions how = {}, Attributes resource = {}) {
  MetricStore store(std::move(options));
  MetricBatchBuilder b;
  b.resource(resource).scope("lib");
  if (kind == "histogram") {
    b.histogram({.name = "h"}).histogram_point(attributes, {.count = 1, .sum = 1}, {});
  } else {
    b.gauge({.name = "g"}).point(attributes, 1.0, {});
  }
  store.add(b.build(), kNow);
  return store.expose(kNow, how);
}

MetricStoreOptions as_they_are() { return {.naming = {.suffixes = false, .utf8 = true}}; }

#define EXPECT_HAS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

TEST(MetricStoreLabels, KeepsTheLabelsThatTheFormatWritesItself) {
  EXPECT_HAS(page_of("histogram", {{"le", "x"}, {"quantile", "y"}}),
             "h_bucket{exported_le=\"x\",quantile=\"y\",le=\"+Inf\"} 1\n");
  EXPECT_HAS(page_of("gauge", {{"le", "x"}, {"quantile", "y"}}), "g{le=\"x\",quantile=\"y\"} 1\n");
  EXPECT_HAS(page_of("gauge", {{"__name__", "x"}}), "g{exported___name__=\"x\"} 1\n");
  EXPECT_HAS(page_of("gauge", {{"..name..", "x"}}), "g{exported___name__=\"x\"} 1\n");
  EXPECT_HAS(page_of("gauge", {{"..name..", "x"}}, as_they_are()),
             "g{exported___name__=\"x\"} 1\n");
  EXPECT_HAS(page_of("gauge", {{"job", "x"}, {"exported_job", "y"}}),
             "g{exported_job=\"y;x\"} 1\n");

  MetricStore store({});
  store.add(one_of_each(1, 100, "            le = \"x\"\n            quantile = \"y\""), kNow);
  const std::string text = store.expose(kNow);
  EXPECT_HAS(text, "summary_count{exported_quantile=\"y\",le=\"x\"} 1\n");
  EXPECT_HAS(text, "exponential_bucket{exported_le=\"x\",quantile=\"y\",le=\"+Inf\"} 1\n");
}

TEST(MetricStoreLabels, HasEachLabelOfAResourceOnce) {
  const std::vector<Attribute> resource = {{"service.name", "shop"},
                                           {"service_name", "q"},
                                           {"job", "j"},
                                           {"a_b", "2"},
                                           {"a.b", "1"},
                                           {"le", "l"}};
  const std::string text =
      page_of("histogram", {{"service.name", "shop"}, {"k", "v"}}, {}, {}, resource);
  EXPECT_HAS(text, "\nh_count{job=\"shop\",service_name=\"shop\",k=\"v\"} 1\n");
  EXPECT_HAS(text,
             "\ntarget_info{job=\"shop\",service_name=\"shop\",a_b=\"1;2\",exported_job=\"j\","
             "exported_service_name=\"q\",le=\"l\"} 1\n");
  EXPECT_HAS(page_of("gauge", {{"service.name", "other"}}, {}, {}, resource),
             "\ng{job=\"shop\",service_name=\"shop\",exported_service_name=\"other\"} 1\n");
  EXPECT_HAS(page_of("gauge", {{"service.namespace", "z"}}, {}, {}, {{"service.namespace", "n"}}),
             "\ng{service_namespace=\"n\",exported_service_namespace=\"z\"} 1\n");
  EXPECT_HAS(page_of("histogram", {{"k", "v"}, {"a.b", "of the point"}}, {.resource_labels = true},
                     {}, resource),
             "\nh_count{job=\"shop\",service_name=\"shop\",a_b=\"1;2\",exported_job=\"j\","
             "exported_le=\"l\",exported_service_name=\"q\",k=\"v\"} 1\n");
  EXPECT_HAS(page_of("gauge", {}, {.const_labels = {{"job", "c"}}}, {}, resource),
             "\ng{job=\"shop\",service_name=\"shop\",exported_job=\"c\"} 1\n");
  EXPECT_HAS(page_of("gauge", {}, {.const_labels = {{"job", "c"}}}), "g{job=\"c\"} 1\n");
}

TEST(MetricStoreLabels, JoinsValuesWhoseKeysBecomeOneLabel) {
  const std::vector<Attribute> one = {{"a_b", "1"}, {"a.b", "2"}, {"a-b", "3"}};
  const std::vector<Attribute> other = {{"a-b", "3"}, {"a_b", "1"}, {"a.b", "2"}};
  for (const auto& attributes : {one, other}) {
    EXPECT_HAS(page_of("gauge", attributes), "g{a_b=\"3;2;1\"} 1\n");
    EXPECT_HAS(page_of("gauge", attributes, as_they_are()), "g{a_b=\"3;2;1\"} 1\n");
  }
  EXPECT_HAS(page_of("gauge", {{"a_b", "1"}, {"a.b", "2"}}, as_they_are(),
                     {.escaping = prometheus::Escaping::None}),
             "g{\"a.b\"=\"2\",a_b=\"1\"} 1\n");
  EXPECT_HAS(page_of("gauge", {{"k\xff", "1"}, {"k\xfe", "2"}}, as_they_are(),
                     {.escaping = prometheus::Escaping::None}),
             "g{\"k\xEF\xBF\xBD\"=\"2;1\"} 1\n");
}

TEST(MetricStoreLabels, SpellsValuesAsTheCollectorDoes) {
  MetricStore store({.resource_labels = true});
  auto batch = from_text(R"(metrics
  resource
    r = [1, "a"]
    scope
      name: "lib"
      metric
        name: "g"
        gauge
          point
            value: 1
            array = [1, 2.5, true, "x"]
            bytes = 0x0102ff
            large = 1500000000000000000000.0
            map = {b = 1, a = "x<y"}
            small = 0.0000001
)");
  ASSERT_TRUE(batch) << batch.error().message;
  store.add(*batch, kNow);

  EXPECT_HAS(store.expose(kNow), R"(g{array="[1,2.5,true,\"x\"]",bytes="AQL/",large="1.5e+21",)"
                                 R"(map="{\"a\":\"x<y\",\"b\":1}",r="[1,\"a\"]",small="1e-7"} 1)");
}

TEST(MetricStoreLabels, HasEachLabelOnceWhereTargetInfoIsSpelledAnotherWay) {
  EXPECT_HAS(page_of("gauge", {{"service.name", "shop"}}, as_they_are(), {},
                     {{"service.name", "shop"}, {"service name", "q"}, {"a.b", "1"}, {"a b", "2"}}),
             "\ntarget_info{job=\"shop\",service_name=\"shop;q\",a_b=\"2;1\"} 1\n");
  EXPECT_HAS(
      page_of("gauge", {{"service.name", "shop"}}, as_they_are(), {}, {{"service.name", "shop"}}),
      "\ng{job=\"shop\",service_name=\"shop\"} 1\n");
}

TEST(MetricStore, ShowsBucketsAndQuantilesOnceAndInOrder) {
  MetricStore store({});
  auto batch = from_text(R"(metrics
  resource
    scope
      metric
        name: "h"
        histogram
          temporality: cumulative
          point
            count: 15
            bounds: [2.0, 1.0, 2.0, inf, nan]
            buckets: [1, 2, 3, 4, 5, 0]
      metric
        name: "s"
        summary
          point
            count: 3
            at
              quantile: 0.9
              value: 9.0
            at
              quantile: 0.5
              value: 1.0
            at
              quantile: 0.5
              value: 2.0
)");
  ASSERT_TRUE(batch) << batch.error().message;
  store.add(*batch, kNow);

  const std::string text = store.expose(kNow);
  EXPECT_HAS(text,
             "h_bucket{le=\"1\"} 2\nh_bucket{le=\"2\"} 6\nh_bucket{le=\"+Inf\"} 15\nh_sum 0\n");
  EXPECT_HAS(text, "s{quantile=\"0.5\"} 2\ns{quantile=\"0.9\"} 9\ns_sum 0\n");
}

TEST(MetricStore, RefusesMetricsWithoutAName) {
  for (const std::string_view name : {"", "...", "_"}) {
    MetricStore store({});
    add_gauge(store, name);
    EXPECT_EQ(store.expose(kNow), "");
    EXPECT_EQ(store.refused(MetricStore::Refusal::NoName), 1u);
  }
  MetricStore store(as_they_are());
  add_gauge(store, "");
  EXPECT_EQ(store.expose(kNow), "");
  EXPECT_EQ(store.refused(MetricStore::Refusal::NoName), 1u);
  add_gauge(store, "...");
  EXPECT_NE(store.expose(kNow), "");
}

}  // namespace
}  // namespace sonde
