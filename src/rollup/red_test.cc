// SPDX-License-Identifier: Apache-2.0
// Red through OTLP bytes: names, attributes, resources, the overflow series; and spans read as
// observations.
#include "rollup/red.h"

#include <gtest/gtest.h>

#include "data/metric_view.h"
#include "data/span_writer.h"
#include "rollup/span_observation.h"

namespace sonde::rollup {
namespace {

constexpr int64_t kNow = 1'700'000'000'000'000'000;

Observation get(std::string_view route) {
  Observation o;
  o.service = "shop";
  o.method = "GET";
  o.route = route;
  o.status = 200;
  o.duration_ns = 20'000'000;
  o.end_unix_ns = kNow;
  return o;
}

TEST(Red, WritesHistogramsUnderTheirSemanticNames) {
  Red red;
  red.observe(get("/a"));
  red.observe(get("/a"));
  MetricBatchBuilder b;
  red.write_metrics(b, kNow + 1);
  Batch batch = b.build();
  int seen = 0;
  ASSERT_TRUE(
      for_each_metric(batch, [&](const ResourceView& r, const ScopeView&, const MetricView& m) {
        EXPECT_EQ(r.get("service.name").as_string(), "shop");
        EXPECT_EQ(m.name, "http.server.request.duration");
        EXPECT_EQ(m.unit, "s");
        for (const HistogramPointView& p : m.histograms()) {
          seen++;
          EXPECT_EQ(p.count, 2u);
          EXPECT_NEAR(*p.sum, .04, 1e-9);
          EXPECT_EQ(p.attributes().get("http.response.status_code").as_int(), 200);
          EXPECT_EQ(p.attributes().get("http.route").as_string(), "/a");
        }
      }));
  EXPECT_EQ(seen, 1);
}

TEST(Red, MarksWhatIsPastTheCap) {
  Red red({.max_series = 1});
  red.observe(get("/a"));
  red.observe(get("/b"));
  red.observe(get("/c"));
  MetricBatchBuilder b;
  red.write_metrics(b, kNow + 1);
  Batch batch = b.build();
  uint64_t overflow = 0;
  ASSERT_TRUE(
      for_each_metric(batch, [&](const ResourceView&, const ScopeView&, const MetricView& m) {
        for (const HistogramPointView& p : m.histograms()) {
          if (p.attributes().get(kOverflowLabel).as_bool()) overflow += p.count;
        }
      }));
  EXPECT_EQ(overflow, 2u);
}

TEST(Red, ForgetsSeriesThatStoppedAfterFiveMinutes) {
  Red red;
  red.observe(get("/a"));
  MetricBatchBuilder b;
  red.write_metrics(b, kNow + 301'000'000'000);
  EXPECT_TRUE(b.empty());
  EXPECT_EQ(red.series(), 0u);
}

TEST(SpanObservation, ReadsTheProbesAttributes) {
  TraceBatchBuilder b;
  b.resource({{"service.name", "shop"}, {"telemetry.sdk.language", "go"}}).scope("sonde");
  b.span({.trace_id = "0123456789abcdef",
          .span_id = "01234567",
          .name = "GET /a",
          .kind = SpanKind::Client,
          .start_ns = 1000,
          .end_ns = 3000},
         {{"http.request.method", "GET"},
          {"http.route", "/a"},
          {"http.response.status_code", int64_t{404}},
          {"sonde.peer.service", "stock"}});
  Batch batch = b.build();
  int seen = 0;
  ASSERT_TRUE(for_each_span(batch, [&](const ResourceView& r, const ScopeView&, const SpanView& s) {
    auto o = observation_of(facts_of(r), s);
    ASSERT_TRUE(o);
    seen++;
    EXPECT_FALSE(o->server);
    EXPECT_TRUE(o->error);
    EXPECT_FALSE(o->has_parent);
    EXPECT_EQ(o->peer_service, "stock");
    EXPECT_EQ(o->duration_ns, 2000);
    EXPECT_EQ(facts_of(r).language, "go");
  }));
  EXPECT_EQ(seen, 1);
}

TEST(SpanObservation, CallsAContainerByItsNameAndElseByItsId) {
  const auto named = [](std::vector<Attribute> attributes) {
    TraceBatchBuilder b;
    b.resource(attributes).scope("sonde");
    b.span({.trace_id = "0123456789abcdef", .span_id = "01234567", .name = "a"});
    Batch batch = b.build();
    std::string out;
    (void)for_each_span(batch, [&](const ResourceView& r, const ScopeView&, const SpanView&) {
      out = facts_of(r).container;
    });
    return out;
  };
  EXPECT_EQ(named({{"container.id", "4f1c"}, {"container.name", "web"}}), "web");
  EXPECT_EQ(named({{"container.name", "web"}, {"container.id", "4f1c"}}), "web");
  EXPECT_EQ(named({{"container.id", "4f1c"}}), "4f1c");
}

}  // namespace
}  // namespace sonde::rollup
