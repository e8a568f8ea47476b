// SPDX-License-Identifier: Apache-2.0
// The lengths of ids in OTLP's JSON, read and written.
#include <gtest/gtest.h>

#include "data/otlp_fields.h"
#include "data/wire.h"
#include "wire/otlp_json/otlp_json.h"

namespace sonde::wire {
namespace {

constexpr size_t kLimit = 1 << 20;

std::string in_span(std::string_view members) {
  return R"({"resourceSpans":[{"scopeSpans":[{"spans":[{)" + std::string(members) + "}]}]}]}";
}
// A request of one span.
Bytes request_of(std::string body) {
  for (const uint32_t number :
       {otlp::scope_group::kRecords, otlp::group::kScopes, otlp::request::kGroups}) {
    std::string outer;
    proto::Writer(outer).bytes(number, body);
    body = std::move(outer);
  }
  return Bytes::take(std::move(body));
}

// As a Collector 0.158 takes them.
TEST(OtlpJsonIds, AreEmptyOrOfTheirLength) {
  const auto hex = [](size_t bytes) {
    std::string text;
    for (size_t i = 0; i < bytes; ++i) text += "a7";
    return "\"" + text + "\"";
  };
  const auto against = [](Signal signal, const std::string& json) {
    const auto bytes = otlp_from_json(signal, OtlpBody::Request, json, kLimit);
    return bytes ? std::string() : bytes.error().message;
  };
  const auto log = [](const std::string& member) {
    return R"({"resourceLogs":[{"scopeLogs":[{"logRecords":[{)" + member + "}]}]}]}";
  };
  const auto exemplar = [](const std::string& member) {
    return R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"gauge":{"dataPoints":[)"
           R"({"exemplars":[{)" +
           member + "}]}]}}]}]}]}";
  };
  for (size_t bytes = 0; bytes < 35; ++bytes) {
    const std::string trace_id = R"("traceId":)" + hex(bytes);
    const std::string span_id = R"("spanId":)" + hex(bytes);
    const bool of_trace = bytes == 0 || bytes == 16;
    const bool of_span = bytes == 0 || bytes == 8;
    for (const std::string& link : {std::string("%"), std::string(R"("links":[{%}])")}) {
      const auto in = [&](const std::string& member) {
        return in_span(std::string(link).replace(link.find('%'), 1, member));
      };
      EXPECT_EQ(against(Signal::Traces, in(trace_id)).empty(), of_trace) << bytes;
      EXPECT_EQ(against(Signal::Traces, in(span_id)).empty(), of_span) << bytes;
    }
    EXPECT_EQ(against(Signal::Traces, in_span(R"("parentSpanId":)" + hex(bytes))).empty(), of_span);
    EXPECT_EQ(against(Signal::Logs, log(trace_id)).empty(), of_trace) << bytes;
    EXPECT_EQ(against(Signal::Logs, log(span_id)).empty(), of_span) << bytes;
    EXPECT_EQ(against(Signal::Metrics, exemplar(trace_id)).empty(), of_trace) << bytes;
    EXPECT_EQ(against(Signal::Metrics, exemplar(span_id)).empty(), of_span) << bytes;
  }
  const std::string path = "the JSON is wrong at resourceSpans.scopeSpans.spans.";
  EXPECT_EQ(against(Signal::Traces, in_span(R"("traceId":)" + hex(8))),
            path + "traceId: is no id of 16 bytes");
  EXPECT_EQ(against(Signal::Traces, in_span(R"("spanId":)" + hex(16))),
            path + "spanId: is no id of 8 bytes");
}

// Who reads it would refuse all of it for one of them.
TEST(OtlpJsonIds, AreLeftOutWhereTheirLengthIsWrong) {
  std::string link;
  proto::Writer(link).bytes(otlp::link::kTraceId, std::string(8, '\2'));
  proto::Writer(link).bytes(otlp::link::kSpanId, std::string(8, '\3'));
  std::string span;
  proto::Writer(span).bytes(otlp::span::kTraceId, std::string(15, '\1'));
  proto::Writer(span).bytes(otlp::span::kSpanId, std::string(9, '\1'));
  proto::Writer(span).bytes(otlp::span::kParentSpanId, "");
  proto::Writer(span).bytes(otlp::span::kName, "n");
  proto::Writer(span).bytes(otlp::span::kLinks, link);
  const Bytes chunk = request_of(std::move(span));
  JsonChanges changes;
  const auto json = otlp_to_json(Signal::Traces, OtlpBody::Request, std::span(&chunk, 1), &changes);
  ASSERT_TRUE(json);
  EXPECT_EQ(*json, in_span(R"("name":"n","links":[{"spanId":"0303030303030303"}])"));
  EXPECT_EQ(changes.damaged, 3u);
  EXPECT_TRUE(otlp_from_json(Signal::Traces, OtlpBody::Request, *json, kLimit));
}

}  // namespace
}  // namespace sonde::wire
