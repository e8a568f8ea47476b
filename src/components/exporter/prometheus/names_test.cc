// SPDX-License-Identifier: Apache-2.0
// Names that older Prometheus does not take: how they are written for whom, and exemplars.
#include "components/exporter/prometheus/names.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <functional>

#include "components/exporter/prometheus/metric_store.h"
#include "data/metric_writer.h"
#include "data/wire.h"

namespace sonde {
namespace {

using prometheus::Escaping;
using prometheus::NameOf;

constexpr int64_t kNow = 1'700'000'000'000'000'000;

// The schemes of https://prometheus.io/docs/instrumenting/escaping_schemes/
TEST(PrometheusEscaping, SpellsNamesAsTheScraperAsks) {
  const auto escape = [](std::string_view name, Escaping how) {
    return prometheus::escape_name(name, NameOf::Metric, how);
  };
  EXPECT_EQ(escape("my.name_1", Escaping::Underscores), "my_name_1");
  EXPECT_EQ(escape("my.name_1", Escaping::Dots), "my_dot_name__1");
  EXPECT_EQ(escape("my.name_1", Escaping::Values), "U__my_2e_name__1");
  EXPECT_EQ(escape("my.name_1", Escaping::None), "my.name_1");
  EXPECT_EQ(escape("1 \u00e9", Escaping::Underscores), "___");
  EXPECT_EQ(escape("1 \u00e9", Escaping::Dots), "______");
  EXPECT_EQ(escape("1 \u00e9", Escaping::Values), "U___31__20__e9_");
  EXPECT_EQ(escape("\xff.a", Escaping::None), "\uFFFD.a");
  EXPECT_EQ(escape("\xff.a", Escaping::Values), "U___fffd__2e_a");
  for (const Escaping how :
       {Escaping::Underscores, Escaping::Dots, Escaping::Values, Escaping::None}) {
    EXPECT_EQ(escape("plain_name:x", how), "plain_name:x");
  }
  EXPECT_EQ(prometheus::escape_name("x:y", NameOf::Label, Escaping::Underscores), "x_y");
}

TEST(PrometheusEscaping, ChangesNamesOfLabelsAndJoinsValuesOfAlikeOnes) {
  std::string labels;
  for (const std::string_view name : {"a", "b.c", "d\"\\\n,=e", "f"}) {
    prometheus::append_label(labels, name, "x.y\"\\\n,=z");
  }
  const std::string value = R"(="x.y\"\\\n,=z")";
  EXPECT_EQ(labels, "a" + value + R"(,"b.c")" + value + R"(,"d\"\\\n,=e")" + value + ",f" + value);
  EXPECT_EQ(prometheus::escape_labels(labels, Escaping::Underscores),
            "a" + value + ",b_c" + value + ",d_____e" + value + ",f" + value);
  EXPECT_EQ(prometheus::escape_labels(labels, Escaping::None), labels);
  EXPECT_EQ(prometheus::escape_labels("", Escaping::Dots), "");
  EXPECT_EQ(
      prometheus::escape_labels(R"("a.b"="1",c="2",a_b="3","a-b"="4")", Escaping::Underscores),
      R"(a_b="1;3;4",c="2")");
  // Where all say the same, once is enough.
  EXPECT_EQ(prometheus::escape_labels(R"("a.b"="1",a_b="1")", Escaping::Underscores), R"(a_b="1")");
  EXPECT_EQ(prometheus::escape_labels(R"("..name.."="1")", Escaping::Underscores),
            R"(exported___name__="1")");
}

// What a real Collector answers with to the same header.
TEST(PrometheusNegotiation, TakesTheBestThatIsServed) {
  constexpr std::string_view kText = "text/plain; version=0.0.4; charset=utf-8; escaping=";
  constexpr std::string_view kOpen =
      "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=";
  const auto answer = [](std::string_view accept, bool open = true) {
    return prometheus::negotiate(accept, open).content_type();
  };
  const auto with = [](std::string_view type, std::string_view escaping) {
    return std::string(type) + std::string(escaping);
  };
  EXPECT_EQ(answer(""), with(kText, "underscores"));
  EXPECT_EQ(answer("*/*"), with(kText, "underscores"));
  EXPECT_EQ(answer("application/openmetrics-text;version=1.0.0"), with(kOpen, "underscores"));
  EXPECT_EQ(answer("application/openmetrics-text;version=1.0.0", false),
            with(kText, "underscores"));
  EXPECT_EQ(answer("application/openmetrics-text"),
            "application/openmetrics-text; version=0.0.1; charset=utf-8; escaping=underscores");
  EXPECT_EQ(answer("application/openmetrics-text;q=0.1,text/plain;q=0.9"),
            with(kText, "underscores"));
  EXPECT_EQ(answer("text/plain;version=1.0.0;escaping=allow-utf-8"), with(kText, "allow-utf-8"));
  EXPECT_EQ(answer("text/plain; escaping=values"), with(kText, "values"));
  EXPECT_EQ(answer("text/plain;version=0.0.4;escaping=\"dots\""), with(kText, "dots"));
  EXPECT_EQ(answer("text/plain;escaping=morse"), with(kText, "underscores"));
  // Prometheus 3, and one that asks for protobuf.
  EXPECT_EQ(answer("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
                   "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;"
                   "escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"),
            with(kOpen, "allow-utf-8"));
  EXPECT_EQ(answer("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
                   "encoding=delimited;q=0.6,text/plain;version=0.0.4;q=0.4"),
            with(kText, "underscores"));
  std::string many;
  for (int i = 0; i < 100; ++i) many += "a/b,";
  EXPECT_EQ(answer(many + "application/openmetrics-text"), with(kText, "underscores"));
  EXPECT_EQ(answer(";;,,=;q=x,\"\xff"), with(kText, "underscores"));
}

TEST(PrometheusStore, KeepsNamesAsTheyAreForWhoTakesThem) {
  MetricStore store(
      {.naming = {.utf8 = true}, .const_labels = {{"c.l", "x"}}, .scope_labels = true});
  MetricBatchBuilder b;
  b.resource({{"service.name", "shop"}, {"host.name", "h"}}).scope("lib");
  b.gauge({.name = "my.gauge", .description = "a \\ \"b\"\nc"}).point({{"label.x", "v"}}, 1.5, {});
  const double bounds[] = {0.5};
  const uint64_t buckets[] = {1, 2};
  b.histogram({.name = "my.hist", .unit = "s"});
  b.histogram_point({}, {.count = 3, .sum = 2, .bounds = bounds, .buckets = buckets}, {});
  b.sum({.name = "plain"}).point({}, int64_t{3}, {});
  store.add(b.build(), kNow);
  EXPECT_EQ(store.expose(kNow, {.escaping = Escaping::None}),
            R"(# HELP "my.gauge" a \\ "b"\nc
# TYPE "my.gauge" gauge
{"my.gauge",job="shop",service_name="shop","c.l"="x","label.x"="v",otel_scope_name="lib"} 1.5
# TYPE "my.hist_seconds" histogram
{"my.hist_seconds_bucket",job="shop",service_name="shop","c.l"="x",otel_scope_name="lib",le="0.5"} 1
{"my.hist_seconds_bucket",job="shop",service_name="shop","c.l"="x",otel_scope_name="lib",le="+Inf"} 3
{"my.hist_seconds_sum",job="shop",service_name="shop","c.l"="x",otel_scope_name="lib"} 2
{"my.hist_seconds_count",job="shop",service_name="shop","c.l"="x",otel_scope_name="lib"} 3
# TYPE plain_total counter
plain_total{job="shop",service_name="shop","c.l"="x",otel_scope_name="lib"} 3
# HELP target_info Attributes of the resource that the series of a job and instance belong to.
# TYPE target_info gauge
target_info{job="shop",service_name="shop","host.name"="h"} 1
)");
  const std::string old = store.expose(kNow);
  EXPECT_NE(old.find("\nmy_gauge{job=\"shop\",service_name=\"shop\",c_l=\"x\",label_x=\"v\","),
            std::string::npos)
      << old;
  EXPECT_NE(old.find("\nmy_hist_seconds_bucket{"), std::string::npos) << old;
  EXPECT_NE(old.find(",host_name=\"h\"} 1\n"), std::string::npos) << old;
  EXPECT_NE(store.expose(kNow, {.open_metrics = true}).find("HELP my_gauge a \\\\ \\\"b\\\"\\nc\n"),
            std::string::npos);
}

TEST(PrometheusStore, TellsOnceOfNamesThatAreSpelledAlike) {
  MetricStore store({.naming = {.utf8 = true}});
  MetricBatchBuilder b;
  b.resource({}).scope("lib");
  b.gauge({.name = "a.b"}).point({}, 1.0, {});
  b.gauge({.name = "a_b"}).point({{"x", "y"}}, 2.0, {});
  b.sum({.name = "a-b", .monotonic = true}).point({}, 3.0, {});
  b.sum({.name = "a b"}).point({}, 4.0, {});
  store.add(b.build(), kNow);
  EXPECT_EQ(store.expose(kNow),
            "# TYPE a_b gauge\na_b 1\na_b{x=\"y\"} 2\n# TYPE a_b_total counter\n"
            "a_b_total 4\na_b_total 3\n");
}

std::string exemplar(double value, bool with_ids) {
  std::string out;
  proto::Writer writer(out);
  writer.fixed64(otlp::exemplar::kTime, 1'699'999'999'500'000'000);
  writer.fixed64(otlp::exemplar::kDouble, std::bit_cast<uint64_t>(value));
  if (with_ids) {
    writer.bytes(otlp::exemplar::kSpanId, "\x01\x02\x03\x04\x05\x06\x07\x08");
    writer.bytes(otlp::exemplar::kTraceId, "0123456789abcdef");
  }
  return out;
}

// One metric of one point, with exemplars.
Batch with_exemplars(uint32_t data_field, uint32_t exemplar_field,
                     const std::function<void(proto::Writer&)>& point,
                     const std::vector<std::string>& exemplars) {
  std::string out;
  proto::Writer writer(out);
  writer.nested(otlp::request::kGroups, [&] {
    writer.nested(otlp::group::kScopes, [&] {
      writer.nested(otlp::scope_group::kRecords, [&] {
        writer.bytes(otlp::metric::kName, "m");
        writer.nested(data_field, [&] {
          writer.nested(otlp::points::kPoints, [&] {
            point(writer);
            std::ranges::for_each(
                exemplars, [&](const std::string& one) { writer.bytes(exemplar_field, one); });
          });
          writer.varint(otlp::points::kTemporality, 2);
          writer.varint(otlp::points::kMonotonic, 1);
        });
      });
    });
  });
  Batch batch;
  batch.signal = Signal::Metrics;
  batch.chunks.push_back(Bytes::take(std::move(out)));
  return batch;
}

constexpr std::string_view kIds =
    R"(# {trace_id="30313233343536373839616263646566",span_id="0102030405060708"} )";

TEST(PrometheusExemplars, StandBehindTheLastOfEachBucket) {
  MetricStore store({.exemplars = true});
  const auto point = [](proto::Writer& writer) {
    writer.fixed64(otlp::histogram_point::kCount, 6);
    for (const uint64_t n : {1, 2, 3}) writer.fixed64(otlp::histogram_point::kBuckets, n);
    for (const double bound : {0.5, 1.0}) {
      writer.fixed64(otlp::histogram_point::kBounds, std::bit_cast<uint64_t>(bound));
    }
  };
  const std::vector<std::string> all = {exemplar(0.5, true), exemplar(0.7, true),
                                        exemplar(0.8, true), exemplar(0.9, false),
                                        exemplar(5, true),   "\xff"};
  store.add(with_exemplars(otlp::metric::kHistogram, otlp::histogram_point::kExemplars, point, all),
            kNow);
  const std::string ids(kIds);
  EXPECT_EQ(store.expose(kNow, {.open_metrics = true}),
            "# TYPE m histogram\n"
            "m_bucket{le=\"0.5\"} 1 " +
                ids + "0.5 1699999999.500000000\n" + "m_bucket{le=\"1.0\"} 3 " + ids +
                "0.8 1699999999.500000000\n" + "m_bucket{le=\"+Inf\"} 6 " + ids +
                "5 1699999999.500000000\n" + "m_sum 0\nm_count 6\n# EOF\n");
  EXPECT_EQ(store.expose(kNow).find('{' + std::string("trace_id")), std::string::npos);
}

TEST(PrometheusExemplars, OfACounterAreThoseOfItsLastPoint) {
  MetricStore store({.exemplars = true});
  const auto point = [](proto::Writer& writer) { writer.fixed64(otlp::number_point::kInt, 3); };
  const auto give = [&](const std::vector<std::string>& all) {
    store.add(with_exemplars(otlp::metric::kSum, otlp::number_point::kExemplars, point, all), kNow);
    return store.expose(kNow, {.open_metrics = true});
  };
  const std::string head = "# TYPE m counter\nm_total 3";
  EXPECT_EQ(give({exemplar(1, true), exemplar(2, true)}),
            head + " " + std::string(kIds) + "2 1699999999.500000000\n# EOF\n");
  EXPECT_EQ(give({}), head + "\n# EOF\n");
}

}  // namespace
}  // namespace sonde
