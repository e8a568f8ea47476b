// SPDX-License-Identifier: Apache-2.0
// Names, labels, types, expiry and the cap of what a scrape sees.
#include <gtest/gtest.h>

#include "components/exporter/prometheus/metric_store.h"
#include "components/exporter/prometheus/naming.h"
#include "data/metric_writer.h"

namespace sonde {
namespace {

constexpr int64_t kNow = 1'700'000'000'000'000'000;

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(PrometheusName, FollowsTheCollectorsTranslation) {
  using Kind = MetricView::Kind;
  EXPECT_EQ(prometheus_name("http.server.request.duration", "s", Kind::Histogram, false),
            "http_server_request_duration_seconds");
  EXPECT_EQ(prometheus_name("http.server.request.body.size", "By", Kind::Histogram, false),
            "http_server_request_body_size_bytes");
  EXPECT_EQ(prometheus_name("traces.spanmetrics.calls", "", Kind::Sum, true),
            "traces_spanmetrics_calls_total");
  EXPECT_EQ(prometheus_name("system.cpu.utilization", "1", Kind::Gauge, false),
            "system_cpu_utilization_ratio");
  EXPECT_EQ(prometheus_name("net.rate", "By/s", Kind::Gauge, false), "net_rate_bytes_per_second");
  EXPECT_EQ(prometheus_name("requests", "{request}", Kind::Sum, true), "requests_total");
}

TEST(PrometheusStore, ShowsAHistogramWithTheLabelsOfItsResource) {
  MetricStore store({});
  MetricBatchBuilder b;
  b.resource({{"service.name", "shop"},
              {"service.namespace", "demo"},
              {"service.instance.id", "i1"},
              {"host.name", "h"}})
      .scope("sonde");
  const double bounds[] = {0.1, 1};
  const uint64_t buckets[] = {1, 2, 3};
  b.histogram({.name = "http.server.request.duration", .unit = "s"});
  b.histogram_point({{"http.route", "/a\"b"}, {"http.response.status_code", int64_t{200}}},
                    {.count = 6, .sum = 7.5, .bounds = bounds, .buckets = buckets}, {});
  store.add(b.build(), kNow);
  std::string text = store.expose(kNow);
  EXPECT_TRUE(has(text, "# TYPE http_server_request_duration_seconds histogram\n"));
  std::string labels =
      R"(job="demo/shop",instance="i1",service_name="shop",service_namespace="demo",)"
      R"(http_response_status_code="200",http_route="/a\"b")";
  EXPECT_TRUE(has(text, "http_server_request_duration_seconds_bucket{" + labels + ",le=\"1\"} 3\n"))
      << text;
  EXPECT_TRUE(has(text, labels + ",le=\"+Inf\"} 6\n"));
  EXPECT_TRUE(has(text, "_sum{" + labels + "} 7.5\n"));
  EXPECT_TRUE(has(text,
                  "target_info{job=\"demo/shop\",instance=\"i1\",service_name=\"shop\","
                  "service_namespace=\"demo\",host_name=\"h\"} 1\n"))
      << text;
}

TEST(PrometheusStore, HasOneTargetInfoForAJobAndInstanceAndItIsTheRichest) {
  MetricStore store({});
  for (std::string_view host : {"", "h", ""}) {
    MetricBatchBuilder b;
    b.resource({{"service.name", "shop"}, {"service.instance.id", "i1"}, {"host.name", host}})
        .scope("sonde");
    b.sum({.name = "a"}).point({}, int64_t{1}, {});
    store.add(b.build(), kNow);
  }

  const std::string text = store.expose(kNow);

  const std::string line = "\ntarget_info{job=\"shop\",instance=\"i1\",service_name=\"shop\"";
  EXPECT_TRUE(has(text, line + ",host_name=\"h\"} 1\n")) << text;
  EXPECT_EQ(text.find(line), text.rfind(line)) << text;
}

Batch one_counter() {
  MetricBatchBuilder b;
  b.resource({{"service.name", "shop"}, {"host.name", "h"}}).scope("lib", "1.2");
  b.sum({.name = "visits", .unit = "s"})
      .point({{"a", "b"}}, int64_t{3}, {.time_ns = 1'500'000'000});
  return b.build();
}

TEST(PrometheusStore, ShowsTheScopeTheResourceAndConstantsWhereItIsAskedTo) {
  MetricStore store({.name_prefix = "my-app",
                     .const_labels = {{"env", "prod"}},
                     .suffixes = false,
                     .scope_labels = true,
                     .resource_labels = true,
                     .service_labels = false});
  store.add(one_counter(), kNow);
  const std::string text = store.expose(kNow);
  EXPECT_TRUE(has(text,
                  "\nmy_app_visits{job=\"shop\",service_name=\"shop\",a=\"b\",env=\"prod\","
                  "host_name=\"h\",otel_scope_name=\"lib\",otel_scope_version=\"1.2\"} 3\n"))
      << text;
}

TEST(PrometheusStore, SpeaksOpenMetrics) {
  MetricStore store({});
  store.add(one_counter(), kNow);
  MetricBatchBuilder b;
  const double bounds[] = {1, 2.5};
  const uint64_t buckets[] = {1, 0, 0};
  b.histogram({.name = "t"});
  b.histogram_point({}, {.count = 1, .sum = 1, .bounds = bounds, .buckets = buckets}, {});
  store.add(b.build(), kNow);
  const std::string text = store.expose(kNow, {.open_metrics = true, .timestamps = true});
  EXPECT_TRUE(has(text, "# TYPE visits_seconds counter\nvisits_seconds_total{")) << text;
  EXPECT_TRUE(has(text, "} 3 1.500\n")) << text;
  EXPECT_TRUE(has(text, "t_bucket{le=\"1.0\"} 1\nt_bucket{le=\"2.5\"} 1\n")) << text;
  EXPECT_TRUE(text.ends_with("# EOF\n")) << text;
  EXPECT_TRUE(has(store.expose(kNow, {.timestamps = true}), "} 3 1500\n"));
}

TEST(PrometheusStore, ReplacesCumulativeAndAddsDelta) {
  MetricStore store({});
  for (int i = 1; i <= 2; i++) {
    MetricBatchBuilder b;
    b.sum({.name = "a"}).point({}, int64_t{i}, {});
    b.sum({.name = "b", .temporality = Temporality::Delta}).point({}, int64_t{i}, {});
    store.add(b.build(), kNow);
  }
  std::string text = store.expose(kNow);
  EXPECT_TRUE(has(text, "\na_total 2\n")) << text;
  EXPECT_TRUE(has(text, "\nb_total 3\n")) << text;
}

TEST(PrometheusStore, ForgetsSeriesThatStopped) {
  MetricStore store({});
  MetricBatchBuilder b;
  b.gauge({.name = "a"}).point({}, 1.5, {});
  store.add(b.build(), kNow);
  EXPECT_TRUE(has(store.expose(kNow + 299'000'000'000), "a 1.5\n"));
  EXPECT_EQ(store.expose(kNow + 301'000'000'000), "");
  EXPECT_EQ(store.series(), 0u);
}

TEST(PrometheusStore, RefusesAndCountsSeriesPastTheCap) {
  MetricStore store({.max_series = 2});
  MetricBatchBuilder b;
  b.gauge({.name = "a"});
  for (int i = 0; i < 5; i++) b.point({{"i", int64_t{i}}}, 1.0, {});
  store.add(b.build(), kNow);
  EXPECT_EQ(store.series(), 2u);
  EXPECT_EQ(store.refused(), 3u);
}

TEST(PrometheusStore, KeepsThePageValidForBytesThatAreNoText) {
  std::string labels;
  prometheus::append_label(labels, "a", "x\xff\n\\");
  EXPECT_EQ(labels, "a=\"x\xEF\xBF\xBD\\n\\\\\"");
}

}  // namespace
}  // namespace sonde
