// SPDX-License-Identifier: Apache-2.0
#include "data/text.h"

#include <gtest/gtest.h>

#include "data/metric_writer.h"
#include "data/testing/sample.h"
#include "data/trace_view.h"
#include "data/valid.h"

namespace sonde {
namespace {

constexpr std::string_view kTraces = R"(traces
  resource
    service.name = "cart"
    process.pid = 42
    scope
      name: "sonde"
      version: "0.1"
      schema_url: "u"
      span
        trace_id: 0102030405060708090a0b0c0d0e0f10
        span_id: 0102030405060708
        name: "GET /\"cart\"\n"
        kind: server
        start: 5s
        end: 5250ms
        status: error
        status_message: "boom"
        flags: 257
        http.response.status_code = 500
        share = 1.0
        "odd key" = [1, "a", {k = 0x00ff, "" = null}]
        event
          time: 5001us
          name: "exception"
          exception.type = "E"
        link
          span_id: 0807060504030201
      span
        name: "unnamed"
        ?99: bytes "x"
)";

constexpr std::string_view kMetrics = R"(metrics
  resource
    scope
      metric
        name: "queue"
        unit: "1"
        gauge
          point
            time: 9ns
            value: 2.5
            q = "a"
          point
            value: -3
      metric
        name: "duration"
        histogram
          temporality: cumulative
          point
            start: 1s
            time: 2s
            count: 3
            sum: 0.0
            bounds: [0.1, 1.0]
            buckets: [1, 0, 2]
      metric
        name: "exponential"
        exponential_histogram
          temporality: delta
          point
            scale: -2
            positive
              offset: 3
              counts: [1, 300]
      metric
        name: "count"
        sum
          temporality: delta
          monotonic: true
          point
            value: 0
            exemplar
              value: nan
)";

constexpr std::string_view kLogs = R"(logs
  resource
    a = 1
    scope
      log
        time: 1ms
        severity: 9
        body: {k = "v"}
        b = -1.5e+300
)";

constexpr std::string_view kProfiles = R"(profiles
  resource
    service.name = "shop"
    scope
      name: "profiler"
      profile
        profile_id: 0102030405060708090a0b0c0d0e0f10
        sample_type: 1
        sample_unit: 2
        period: 50000000
        time: 1s
        duration: 500
        attributes: [1]
        sample
          stack: 1
          attributes: [1, 300]
          values: [7]
          timestamps: [1000000000, 1000000001]
        sample
          values: [8]
  dictionary
    string: ""
    string: "cpu"
    string: "nanoseconds"
    string: ""
    string: "main"
    mapping
    mapping
      memory_start: 4096
      filename: 4
    function
    function
      name: 4
      start_line: 12
    location
    location
      mapping: 1
      address: 4660
      line
        function: 1
        number: 13
    stack
    stack
      locations: [1, 0]
    attribute
    attribute
      key: 4
      value: "x"
      unit: 2
    link
    link
      trace_id: 0102030405060708090a0b0c0d0e0f10
      span_id: 0102030405060708
)";

TEST(Text, RoundTripsEverySignal) {
  for (const std::string_view text : {kTraces, kMetrics, kLogs, kProfiles}) {
    const auto batch = from_text(text);
    ASSERT_TRUE(batch) << batch.error().message;
    EXPECT_EQ(to_text(*batch), text);
  }
}

TEST(Text, ProfilesAreCountedByTheirSamplesAndAreValid) {
  const auto batch = from_text(kProfiles);
  ASSERT_TRUE(batch) << batch.error().message;
  EXPECT_EQ(batch->items(), 2U);
  EXPECT_TRUE(validate(*batch));
  EXPECT_FALSE(
      validate(*from_text("profiles\n  resource\n    scope\n      profile\n"
                          "        profile_id: 0102\n")));
}

TEST(Text, RoundTripsTheBytesOfTheBuilders) {
  const Batch spans = testing::sample_spans(3);
  const auto back = from_text(to_text(spans));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->chunks, spans.chunks);
}

TEST(Text, ReadsLooseWriting) {
  const auto batch = from_text(
      "\n# a scenario\n    traces\r\n      resource\n\n          scope\n            span\n"
      "                  # no name\n                  start: 12\n                  a=1\n");
  ASSERT_TRUE(batch) << batch.error().message;
  EXPECT_EQ(to_text(*batch),
            "traces\n  resource\n    scope\n      span\n        start: 12ns\n        a = 1\n");
}

TEST(Text, NamesTheLineOfAMistake) {
  const auto error = [](std::string_view text) {
    const auto batch = from_text(text);
    return batch ? std::string("none") : batch.error().message;
  };
  EXPECT_EQ(error(""), "the text is empty; expected `traces`");
  EXPECT_EQ(error("spans"), "line 1: `spans`: expected `traces`, `metrics`, `logs` or `profiles`");
  EXPECT_EQ(error("traces\n  resource\n    nmae: 1\n"), "line 3: `nmae: 1`: no such name here");
  EXPECT_EQ(error("traces\n  resource\n    a = b\n"),
            "line 3: `a = b`: `b` is no value; a string needs quotes");
  EXPECT_EQ(error("traces\n  resource\n     a = 1\n    b = 1\n"),
            "line 4: `b = 1`: is not indented like its neighbours");
}

TEST(Text, KeepsAChunkThatDoesNotParse) {
  const Batch batch(Signal::Traces, {Bytes::copy("\x0a\xff")});
  EXPECT_EQ(to_text(batch), "traces\n  malformed: \"\\n\xff\"\n");
  EXPECT_EQ(from_text(to_text(batch))->chunks, batch.chunks);
}

TEST(Text, BoundsTheDepthOfValues) {
  std::string value;
  for (int i = 0; i < 1000; ++i) {
    std::string list;
    proto::Writer(list).bytes(1, value);
    value.clear();
    proto::Writer(value).bytes(5, list);
  }
  EXPECT_LT(AnyValueView(value).to_string().size(), 200U);
  EXPECT_FALSE(from_text("logs\n  resource\n    a = " + std::string(100000, '[')));
}

}  // namespace
}  // namespace sonde
