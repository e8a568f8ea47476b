// SPDX-License-Identifier: Apache-2.0
// libprotobuf as the oracle: it must read what the builders write, write it back byte for byte, and
// the views must read what it writes.
#include <gtest/gtest.h>

#include "data/log_view.h"
#include "data/log_writer.h"
#include "data/metric_view.h"
#include "data/metric_writer.h"
#include "data/testing/otlp.pb.h"
#include "data/testing/sample.h"
#include "data/text.h"
#include "data/trace_view.h"

namespace sonde {
namespace {

std::string deterministic(const google::protobuf::Message& message) {
  return message.SerializeAsString();
}

TEST(SpanWriter, WritesWhatLibprotobufWouldWrite) {
  const Batch batch = testing::sample_spans(20);
  ASSERT_EQ(batch.chunks.size(), 1U);
  testing::TracesRequest request;
  ASSERT_TRUE(request.ParseFromString(std::string(batch.chunks[0].view())));
  EXPECT_EQ(deterministic(request), batch.chunks[0].view());
  const auto& span = request.resource_spans(0).scope_spans(0).spans(3);
  EXPECT_EQ(span.name(), "GET /api/v1/orders/{id}");
  EXPECT_EQ(span.attributes_size(), 12);
  EXPECT_EQ(span.attributes(9).value().double_value(), 0.25);
  EXPECT_EQ(span.status().code(), 2);
  EXPECT_EQ(count_records(batch), 20U);
}

TEST(SpanWriter, WritesValuesOfEverySizeAndSeveralGroups) {
  TraceBatchBuilder builder;
  for (size_t group = 0; group < 3; ++group) {
    builder.resource({{"n", static_cast<int64_t>(group)}});
    for (const size_t size : {0U, 1U, 100U, 120U, 123U, 124U, 125U, 126U, 127U, 128U, 129U, 130U,
                              300U, 16381U, 16384U, 70000U}) {
      builder.scope(group == 1 ? "s" : "", "");
      builder.span({.trace_id = "", .span_id = "", .name = std::string(size, 'n')},
                   {{std::string(size, 'k'), std::string_view("v")},
                    {"k", std::string(size, 'v')},
                    {"neg", int64_t{-1}},
                    {"empty", std::string_view()}});
    }
  }
  const Batch batch = builder.build();
  EXPECT_TRUE(builder.empty());
  testing::TracesRequest request;
  ASSERT_TRUE(request.ParseFromString(std::string(batch.chunks[0].view())));
  EXPECT_EQ(request.resource_spans_size(), 3);
  // An empty key is left out there and written here; else the bytes are the same.
  size_t spans = 0;
  for (const auto& group : request.resource_spans())
    for (const auto& scope : group.scope_spans()) spans += scope.spans_size();
  EXPECT_EQ(spans, 48U);
  EXPECT_EQ(request.resource_spans(2).scope_spans(15).spans(0).attributes(1).value().string_value(),
            std::string(70000, 'v'));
}

TEST(MetricWriter, WritesWhatLibprotobufWouldWrite) {
  MetricBatchBuilder builder;
  builder.resource({{"service.name", "cart"}}).scope("sonde", "0.1");
  builder.gauge({.name = "queue", .unit = "1", .description = "Depth."})
      .point({{"q", "a"}}, 2.5, {.time_ns = 9})
      .point({}, int64_t{-3}, {.time_ns = 9});
  builder.sum({.name = "requests", .unit = "{request}"}).point({}, int64_t{0}, {1, 9});
  builder.sum({.name = "empty"});
  builder.sum({.name = "delta", .temporality = Temporality::Delta, .monotonic = false})
      .point({{"ok", true}}, int64_t{7}, {1, 9});
  const double bounds[] = {0.1, 1};
  const uint64_t buckets[] = {1, 0, 2};
  builder.histogram({.name = "http.server.request.duration", .unit = "s"})
      .histogram_point(
          {{"http.route", "/"}},
          {.count = 3, .sum = 7.5, .min = 0.05, .max = 4, .bounds = bounds, .buckets = buckets},
          {1, 9});
  EXPECT_EQ(builder.points(), 5U);
  const Batch batch = builder.build();
  EXPECT_EQ(count_records(batch), 5U);
  testing::MetricsRequest request;
  ASSERT_TRUE(request.ParseFromString(std::string(batch.chunks[0].view())));
  EXPECT_EQ(deterministic(request), batch.chunks[0].view());

  std::string seen;
  const auto visit = [&](const ResourceView& resource, const ScopeView& scope,
                         const MetricView& metric) {
    EXPECT_EQ(resource.get("service.name").as_string(), "cart");
    EXPECT_EQ(scope.name, "sonde");
    seen += std::string(metric.name) + (metric.monotonic ? "+ " : " ");
    for (const NumberPointView& point : metric.numbers())
      seen += std::to_string(point.value()) + " ";
    for (const HistogramPointView& point : metric.histograms()) {
      EXPECT_EQ(point.count, 3U);
      EXPECT_EQ(point.sum, 7.5);
      EXPECT_EQ(point.min, 0.05);
      EXPECT_EQ(point.attributes().get("http.route").as_string(), "/");
      point.for_each_bound([&](double bound) { seen += std::to_string(bound) + " "; });
      point.for_each_bucket([&](uint64_t count) { seen += std::to_string(count) + " "; });
    }
  };
  ASSERT_TRUE(for_each_metric(batch, visit));
  EXPECT_EQ(seen,
            "queue 2.500000 -3.000000 requests+ 0.000000 delta 7.000000 "
            "http.server.request.duration 0.100000 1.000000 1 0 2 ");
}

TEST(LogWriter, WritesWhatLibprotobufWouldWriteAndTheViewReadsIt) {
  LogBatchBuilder builder;
  builder.resource({{"service.name", "cart"}}).scope("sonde", "0.1");
  builder.log({});
  builder.log({.time_ns = 1,
               .observed_time_ns = 2,
               .severity_number = 17,
               .severity_text = "ERROR",
               .body = std::string_view("it broke"),
               .trace_id = "0123456789abcdef",
               .span_id = "01234567",
               .event_name = "exception",
               .flags = 1},
              {{"line", int64_t{7}}, {"long", std::string(300, 'x')}});
  builder.log({.severity_number = -1, .body = std::string(200, 'b')});
  builder.log({.body = true});
  EXPECT_EQ(builder.logs(), 4U);
  const Batch batch = builder.build();
  EXPECT_TRUE(builder.empty());
  EXPECT_EQ(count_records(batch), 4U);
  testing::LogsRequest request;
  ASSERT_TRUE(request.ParseFromString(std::string(batch.chunks[0].view())));
  EXPECT_EQ(deterministic(request), batch.chunks[0].view());
  size_t seen = 0;
  const auto visit = [&](const ResourceView& resource, const ScopeView& scope, const LogView& log) {
    EXPECT_EQ(resource.get("service.name").as_string(), "cart");
    EXPECT_EQ(scope.name, "sonde");
    const auto& theirs =
        request.resource_logs(0).scope_logs(0).log_records(static_cast<int>(seen++));
    EXPECT_EQ(log.time_ns, theirs.time_unix_nano());
    EXPECT_EQ(log.observed_time_ns, theirs.observed_time_unix_nano());
    EXPECT_EQ(log.severity_number, theirs.severity_number());
    EXPECT_EQ(log.severity_text, theirs.severity_text());
    EXPECT_EQ(log.body.as_string(), theirs.body().string_value());
    EXPECT_EQ(log.body.as_bool(), theirs.body().bool_value());
    EXPECT_EQ(log.trace_id, theirs.trace_id());
    EXPECT_EQ(log.span_id, theirs.span_id());
    EXPECT_EQ(log.event_name, theirs.event_name());
    EXPECT_EQ(log.flags, theirs.flags());
    EXPECT_EQ(log.attributes().size(), static_cast<size_t>(theirs.attributes_size()));
  };
  ASSERT_TRUE(for_each_log(batch, visit));
  EXPECT_EQ(seen, 4U);
}

TEST(TraceView, ReadsWhatLibprotobufWrites) {
  testing::TracesRequest request;
  auto* group = request.add_resource_spans();
  auto* scope = group->add_scope_spans();
  scope->set_schema_url("u");
  auto* attribute = group->mutable_resource()->add_attributes();
  attribute->set_key("service.name");
  attribute->mutable_value()->set_string_value("cart");
  auto* span = scope->add_spans();
  span->set_trace_id(std::string(16, 't'));
  span->set_span_id("short");
  span->set_name("GET /");
  span->set_kind(99);
  span->set_start_time_unix_nano(5);
  span->set_end_time_unix_nano(7);
  span->mutable_status()->set_message("boom");
  span->mutable_status()->set_code(2);
  auto* list = span->add_attributes();
  list->set_key("list");
  list->mutable_value()->mutable_array_value()->add_values()->set_int_value(3);
  auto* map = list->mutable_value()->mutable_array_value()->add_values()->mutable_kvlist_value();
  map->add_values()->set_key("k");
  auto* event = span->add_events();
  event->set_name("exception");
  event->set_time_unix_nano(6);
  span->add_links()->set_span_id(std::string(8, 'l'));
  int spans = 0;
  const auto visit = [&](const ResourceView& r, const ScopeView& s, const SpanView& v) {
    ++spans;
    EXPECT_EQ(r.get("service.name").as_string(), "cart");
    EXPECT_EQ(s.schema_url, "u");
    EXPECT_EQ(v.trace_id, std::string(16, 't'));
    EXPECT_EQ(v.span_id, "");
    EXPECT_EQ(v.kind, SpanKind::Unspecified);
    EXPECT_EQ(v.duration_ns(), 2U);
    EXPECT_EQ(v.status_code, StatusCode::Error);
    EXPECT_EQ(v.status_message, "boom");
    EXPECT_EQ(v.get("list").to_string(), "[3, {k = null}]");
    EXPECT_EQ(v.get("none").kind(), AnyValueView::Kind::Empty);
    EXPECT_EQ((*v.events().begin()).name, "exception");
    EXPECT_EQ((*v.links().begin()).span_id, "llllllll");
  };
  ASSERT_TRUE(for_each_span(request.SerializeAsString(), visit));
  EXPECT_EQ(spans, 1);
}

TEST(TraceView, JoinsAResourceThatComesInPieces) {
  testing::TracesRequest a;
  auto* attribute = a.add_resource_spans()->mutable_resource()->add_attributes();
  attribute->set_key("a");
  attribute->mutable_value()->set_int_value(1);
  a.mutable_resource_spans(0)->add_scope_spans()->add_spans()->set_name("x");
  testing::ResourceSpans b;
  b.mutable_resource()->add_attributes()->set_key("b");
  const std::string group = a.resource_spans(0).SerializeAsString() + b.SerializeAsString();
  std::string chunk;
  proto::Writer(chunk).bytes(1, group);
  ASSERT_TRUE(for_each_span(chunk, [](const ResourceView& r, const ScopeView&, const SpanView&) {
    EXPECT_EQ(r.attributes().size(), 2U);
  }));
}

TEST(TraceView, SaysThatBytesAreMalformed) {
  const Batch batch = testing::sample_spans(2);
  const std::string whole(batch.chunks[0].view());
  const auto nothing = [](const ResourceView&, const ScopeView&, const SpanView&) {};
  size_t accepted = 0;
  for (size_t size = 1; size < whole.size(); ++size)
    accepted += for_each_span(whole.substr(0, size), nothing).has_value() ? 1 : 0;
  EXPECT_EQ(accepted, 0U);
}

}  // namespace
}  // namespace sonde
