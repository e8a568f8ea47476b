// SPDX-License-Identifier: Apache-2.0
#include "data/valid.h"

#include <gtest/gtest.h>

#include <functional>

#include "data/otlp_fields.h"
#include "data/testing/sample.h"
#include "data/text.h"
#include "data/text_value.h"
#include "data/wire.h"

namespace sonde {
namespace {

using proto::Writer;

std::string message(const std::function<void(Writer&)>& write) {
  std::string out;
  Writer writer(out);
  write(writer);
  return out;
}
std::string field(uint32_t number, std::string_view payload) {
  return message([&](Writer& w) { w.bytes(number, payload); });
}
// A request with one record of this body.
std::string request(std::string_view record) {
  return field(otlp::request::kGroups,
               field(otlp::group::kScopes, field(otlp::scope_group::kRecords, record)));
}
// What is said against one record; empty where it is taken.
std::string against(Signal signal, std::string_view record) {
  const auto checked = validate(signal, request(record));
  if (checked) return {};
  EXPECT_EQ(checked.error().kind, ErrorKind::Invalid);
  return checked.error().message;
}
std::string against_span(std::string_view span) { return against(Signal::Traces, span); }
std::string against_gauge_point(std::string_view point) {
  return against(Signal::Metrics, field(otlp::metric::kGauge, field(1, point)));
}

std::string attribute(std::string_view value, std::string_view key = "k") {
  return field(otlp::span::kAttributes,
               field(otlp::key_value::kKey, key) + field(otlp::key_value::kValue, value));
}
// A value that lies in so many lists, or maps.
std::string nest(int depth, bool maps) {
  std::string value = field(otlp::any_value::kString, "v");
  for (int i = 0; i < depth; ++i) {
    value = maps ? field(otlp::any_value::kMap, field(1, field(otlp::key_value::kValue, value)))
                 : field(otlp::any_value::kArray, field(1, value));
  }
  return value;
}

TEST(Valid, TakesWhatTheBuildersWriteAndAllThatTheTextFormKnows) {
  EXPECT_TRUE(validate(testing::sample_spans(3)));
  for (const Signal signal : kSignals) EXPECT_TRUE(validate(signal, ""));
  for (const std::string_view text : {
           "traces\n  resource\n    a = [1, {b = true}]\n    scope\n      name: \"s\"\n"
           "      span\n        trace_id: 0123456789abcdef0123456789abcdef\n        status: error\n"
           "        flags: 257\n        event\n          x = 0x00\n        link\n"
           "          span_id: 0123456789abcdef\n          flags: 1\n",
           "metrics\n  resource\n    scope\n      metric\n        summary\n          point\n"
           "            count: 3\n            at\n              quantile: 0.5\n"
           "      metric\n        exponential_histogram\n          temporality: delta\n"
           "          point\n            scale: -2\n            positive\n"
           "              counts: [1, 300]\n            exemplar\n              value: nan\n"
           "              trace_id: 0123456789abcdef0123456789abcdef\n",
           "logs\n  resource\n    scope\n      log\n        severity: 9\n        body: {k = "
           "\"v\"}\n"
           "        span_id: 0123456789abcdef\n",
       }) {
    const auto batch = from_text(text);
    ASSERT_TRUE(batch) << batch.error().message;
    EXPECT_TRUE(validate(*batch)) << text;
  }
}

TEST(Valid, AnIdIsEmptyOrOfItsLength) {
  namespace f = otlp::span;
  for (const auto& [number, size] :
       {std::pair{f::kTraceId, 16U}, {f::kSpanId, 8U}, {f::kParentSpanId, 8U}}) {
    for (size_t length = 0; length < 20; ++length) {
      EXPECT_EQ(against_span(field(number, std::string(length, 'x'))).empty(),
                length == 0 || length == size)
          << number << " of " << length;
    }
  }
  EXPECT_EQ(against_span(field(f::kTraceId, "abcd")),
            "malformed OTLP: the sender's encoder is at fault: field 1 of Span: its length is "
            "neither 0 nor 16");
  EXPECT_NE(against_span(field(f::kLinks, field(otlp::link::kTraceId, "ab"))), "");
  EXPECT_NE(against_span(field(f::kLinks, field(otlp::link::kSpanId, "ab"))), "");
  EXPECT_NE(against(Signal::Logs, field(otlp::log::kTraceId, "ab")), "");
  EXPECT_NE(against(Signal::Logs, field(otlp::log::kSpanId, "ab")), "");
  const auto exemplar = [](uint32_t number) {
    return field(otlp::number_point::kExemplars, field(number, "ab"));
  };
  EXPECT_NE(against_gauge_point(exemplar(otlp::exemplar::kTraceId)), "");
  EXPECT_NE(against_gauge_point(exemplar(otlp::exemplar::kSpanId)), "");
}

TEST(Valid, AKnownFieldHasItsWireType) {
  const std::string flags_as_varint = message([](Writer& w) { w.varint(otlp::span::kFlags, 5); });
  EXPECT_NE(against_span(flags_as_varint), "");
  EXPECT_EQ(against_span(message([](Writer& w) { w.fixed32(otlp::span::kFlags, 5); })), "");
  EXPECT_NE(against_span(message([](Writer& w) { w.varint(otlp::span::kName, 5); })), "");
  EXPECT_NE(against_span(message([](Writer& w) { w.fixed32(otlp::span::kStart, 5); })), "");
  EXPECT_NE(against_span(field(otlp::span::kKind, "x")), "");
  EXPECT_NE(
      against_span(attribute(message([](Writer& w) { w.fixed64(otlp::any_value::kInt, 5); }))), "");
  // Tags may be written longer than they need be: 8d 80 00 is fixed32 of field 1.
  EXPECT_NE(against_span(std::string("\x8d\x80\x00\1\2\3\4", 7)), "");
}

TEST(Valid, AnUnknownFieldIsSkippedButForGroups) {
  const uint32_t unknown[] = {17, 99, 1000, (1U << 29) - 1};
  for (const uint32_t number : unknown) {
    EXPECT_EQ(against_span(field(number, "\xff\xff")), "") << number;
    EXPECT_EQ(against_span(message([&](Writer& w) { w.varint(number, 1); })), "") << number;
    EXPECT_EQ(against_span(message([&](Writer& w) { w.fixed64(number, 1); })), "") << number;
    EXPECT_EQ(against_span(message([&](Writer& w) { w.fixed32(number, 1); })), "") << number;
    EXPECT_NE(against_span(message([&](Writer& w) {
                w.raw_varint(number << 3 | 3);
                w.raw_varint(number << 3 | 4);
              })),
              "")
        << number;
  }
  EXPECT_EQ(against(Signal::Logs, field(4, "\xff")), "");  // A number that LogRecord gave up.
  EXPECT_NE(against_span(std::string_view("\0\0", 2)), "");
  EXPECT_NE(against_span("\x36"), "");
  EXPECT_NE(against_span("\x37"), "");
}

TEST(Valid, EveryLevelMustEndWhereItsHolderEnds) {
  const Batch batch = testing::sample_spans(1);
  const std::string_view view = batch.chunks[0].view();
  for (size_t size = 1; size < view.size(); ++size)
    EXPECT_FALSE(validate(Signal::Traces, view.substr(0, size))) << size;
  EXPECT_NE(against_span("\xff\xff\xff"), "");
  EXPECT_NE(against_span(field(otlp::span::kEvents, "\xff")), "");
  EXPECT_NE(against_span(field(otlp::span::kStatus, "\x18")), "");
  EXPECT_NE(against_span(field(otlp::span::kAttributes,
                               "\x0a\x50"
                               "a")),
            "");
  EXPECT_NE(against_span("\x30" + std::string(10, '\xff') + "\x01"), "");
  EXPECT_FALSE(validate(Signal::Traces, field(1, field(otlp::group::kResource, "\xff"))));
  EXPECT_FALSE(validate(Signal::Traces, field(1, field(otlp::group::kScopes, field(1, "\xff")))));
  // The Collector still parses the scopes of OTLP before 1.0.
  const auto deprecated = [](std::string_view scopes) {
    return field(1, field(otlp::group::kDeprecatedScopes, scopes));
  };
  EXPECT_FALSE(validate(Signal::Logs, deprecated("\xff")));
  EXPECT_TRUE(validate(Signal::Logs, deprecated(field(2, ""))));
}

TEST(Valid, PackedNumbersAreWholeAndMayComeOneByOne) {
  const auto histogram = [](std::string_view fields) {
    return against(Signal::Metrics, field(otlp::metric::kHistogram, field(1, fields)));
  };
  for (const uint32_t number : {otlp::histogram_point::kBuckets, otlp::histogram_point::kBounds}) {
    EXPECT_EQ(histogram(field(number, std::string(16, '\1'))), "");
    EXPECT_NE(histogram(field(number, std::string(15, '\1'))), "");
    EXPECT_EQ(histogram(message([&](Writer& w) { w.fixed64(number, 1); })), "");
    EXPECT_NE(histogram(message([&](Writer& w) { w.varint(number, 1); })), "");
  }
  const auto counts = [](std::string_view buckets) {
    namespace f = otlp::exponential_point;
    return against(Signal::Metrics, field(otlp::metric::kExponentialHistogram,
                                          field(1, field(f::kPositive, buckets))));
  };
  EXPECT_EQ(counts(field(otlp::buckets::kCounts, "\x01\xff\x01")), "");
  EXPECT_NE(counts(field(otlp::buckets::kCounts, "\x01\xff")), "");
  EXPECT_EQ(counts(message([](Writer& w) { w.varint(otlp::buckets::kCounts, 300); })), "");
  EXPECT_NE(counts(message([](Writer& w) { w.fixed64(otlp::buckets::kCounts, 300); })), "");
}

TEST(Valid, ValuesNestAsDeepAsTheReadersFollow) {
  for (const bool maps : {false, true}) {
    for (int depth = 0; depth < 40; ++depth) {
      const std::string value = nest(depth, maps);
      EXPECT_EQ(against_span(attribute(value)).empty(), depth <= text::kMaxDepth) << depth;
      EXPECT_EQ(against_span(attribute(value)).empty(), text::valid_value(value)) << depth;
      EXPECT_EQ(against(Signal::Logs, field(otlp::log::kBody, value)).empty(),
                depth <= text::kMaxDepth)
          << depth;
    }
    // A stack holds whatever comes.
    EXPECT_NE(against_span(attribute(nest(2000, maps))), "");
  }
}

TEST(Valid, AnAttributeOfTheUsualShapeIsJudgedAsOneOfALongKey) {
  namespace f = otlp::any_value;
  const std::string text = field(f::kString, "text");
  const auto varint = [](uint32_t number, uint64_t value) {
    return message([=](Writer& w) { w.varint(number, value); });
  };
  const auto with = [](std::string start, std::string_view more) { return start.append(more); };
  const std::string number = message([](Writer& w) { w.fixed64(f::kDouble, 1); });
  const struct {
    std::string value;
    bool taken;
  } cases[] = {
      {"", true},
      {text, true},
      {text.substr(0, text.size() - 1), false},
      {with(text, "x"), false},
      {with(text, text), true},
      {"\x0a", false},
      {varint(f::kBool, 1), true},
      {"\x10", false},
      {"\x10\xff", false},
      {varint(f::kInt, UINT64_MAX), true},
      {with(varint(f::kInt, 7), "\x80"), false},
      {with(varint(f::kInt, 7), varint(f::kBool, 0)), true},
      {"\x18" + std::string(10, '\xff') + "\x01", false},
      {number, true},
      {number.substr(0, 8), false},
      {with(number, "\xff"), false},
      {field(f::kBytes, "\xff"), true},
      {field(f::kArray, field(1, text)), true},
      {field(f::kArray, field(1, text.substr(1))), false},
      {varint(99, 1), true},
      {"\x0d", false},
  };
  for (const auto& [value, taken] : cases) {
    for (const std::string& key : {std::string(), std::string("k"), std::string(200, 'k')}) {
      const std::string one = attribute(value, key);
      EXPECT_EQ(against_span(one).empty(), taken) << key << ' ' << ::testing::PrintToString(value);
      EXPECT_EQ(against_span(attribute(text) + one + attribute(text)).empty(), taken);
    }
  }
}

TEST(Valid, TextMayBeAnyBytes) {
  EXPECT_EQ(against_span(field(otlp::span::kName, "\xff\xfe")), "");
}

TEST(Valid, ABatchIsAsValidAsEachOfItsChunks) {
  const Bytes good = testing::sample_spans(1).chunks[0];
  const Bytes bad = Bytes::copy(request(field(otlp::span::kTraceId, "abcd")));
  EXPECT_TRUE(validate(Batch(Signal::Traces, {good, good})));
  EXPECT_FALSE(validate(Batch(Signal::Traces, {good, bad})));
}

}  // namespace
}  // namespace sonde
