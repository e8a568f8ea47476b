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

using Kind = MetricView::Kind;

std::string name_of(const prometheus::MetricNaming& naming, std::string_view name,
                    std::string_view unit, Kind kind, bool monotonic = false) {
  MetricView metric;
  metric.name = name;
  metric.unit = unit;
  metric.kind = kind;
  metric.monotonic = monotonic;
  return prometheus::metric_name(naming, metric);
}

// What a real Collector calls them, by strategy of translation.
TEST(PrometheusName, FollowsTheCollectorsTranslation) {
  struct Case {
    std::string_view name, unit;
    Kind kind;
    bool counter;
    std::string_view escaped, escaped_bare, as_it_is;
  };
  constexpr Kind kGauge = Kind::Gauge, kSum = Kind::Sum, kHistogram = Kind::Histogram;
  const Case kCases[] = {
      {"http.server.request.duration", "s", kHistogram, false,
       "http_server_request_duration_seconds", "http_server_request_duration",
       "http.server.request.duration_seconds"},
      {"system.cpu.utilization", "1", kGauge, false, "system_cpu_utilization_ratio",
       "system_cpu_utilization", "system.cpu.utilization_ratio"},
      {"net.rate", "By/s", kGauge, false, "net_rate_bytes_per_second", "net_rate",
       "net.rate_bytes_per_second"},
      {"requests", "{request}", kSum, true, "requests_total", "requests", "requests_total"},
      {"io.bytes", "By", kSum, true, "io_bytes_total", "io_bytes", "io.bytes_total"},
      {"total.things", "By", kSum, true, "things_bytes_total", "total_things",
       "total.things_bytes_total"},
      {"total.count", "", kSum, true, "count_total", "total_count", "total.count_total"},
      {"req.total", "", kSum, true, "req_total", "req_total", "req_total"},
      {"ratio.of.ratio", "1", kGauge, false, "of_ratio", "ratio_of_ratio", "ratio.of_ratio"},
      {"seconds.of.x", "s", kGauge, false, "seconds_of_x", "seconds_of_x", "seconds.of.x_seconds"},
      {"unit.per_second", "1/s", kGauge, false, "unit_per_second_per_second", "unit_per_second",
       "unit_per_second"},
      {"1digit", "ms", kGauge, false, "_1digit_milliseconds", "_1digit", "1digit_milliseconds"},
      {"a__b..c", "", kGauge, false, "a_b_c", "a__b_c", "a__b..c"},
      {"na\u00efve.gr\u00f6\u00dfe", "Cel", kGauge, false, "na_ve_gr_e_celsius", "na_ve_gr_e",
       "na\u00efve.gr\u00f6\u00dfe_celsius"},
      {"u2", " s / h ", kGauge, false, "u2_seconds_per_hour", "u2", "u2_seconds_per_hour"},
      {"u", "s/{req}", kGauge, false, "u_seconds", "u", "u_seconds"},
      {"per.min", "By/min", kGauge, false, "per_min_bytes_per_min", "per_min",
       "per.min_bytes_per_min"},
      {"d:e.f", "KiBy/m", kGauge, false, "d:e_f_kibibytes_per_minute", "d:e_f",
       "d:e.f_kibibytes_per_minute"}};
  for (const Case& c : kCases) {
    EXPECT_EQ(name_of({}, c.name, c.unit, c.kind, c.counter), c.escaped);
    EXPECT_EQ(name_of({.suffixes = false}, c.name, c.unit, c.kind, c.counter), c.escaped_bare);
    EXPECT_EQ(name_of({.utf8 = true}, c.name, c.unit, c.kind, c.counter), c.as_it_is);
    EXPECT_EQ(name_of({.suffixes = false, .utf8 = true}, c.name, c.unit, c.kind, c.counter),
              c.name);
  }
  EXPECT_EQ(name_of({.prefix = "my.app"}, "up.down", "", kGauge), "my_app_up_down");
  EXPECT_EQ(name_of({.prefix = "my.app", .utf8 = true}, "up.down", "", kGauge), "my.app_up.down");
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
  MetricStore store({.naming = {.prefix = "my-app", .suffixes = false},
                     .const_labels = {{"env", "prod"}},
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
  EXPECT_EQ(store.refused(MetricStore::Refusal::Full), 3u);
}

TEST(PrometheusStore, KeepsThePageValidForBytesThatAreNoText) {
  std::string labels;
  prometheus::append_label(labels, "a", "x\xff\n\\");
  EXPECT_EQ(labels, "a=\"x\xEF\xBF\xBD\\n\\\\\"");
}

}  // namespace
}  // namespace sonde
