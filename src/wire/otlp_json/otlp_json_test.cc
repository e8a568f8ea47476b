// SPDX-License-Identifier: Apache-2.0
// What OTLP's JSON says beyond proto3's mapping, and what is refused.
#include "wire/otlp_json/otlp_json.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <functional>

#include "data/otlp_fields.h"
#include "data/text.h"
#include "data/valid.h"
#include "data/wire.h"

namespace sonde::wire {
namespace {

constexpr size_t kLimit = 1 << 20;

// The text form of what a request in JSON became.
std::string read(Signal signal, std::string_view json) {
  const auto bytes = otlp_from_json(signal, OtlpBody::Request, json, kLimit);
  return bytes ? to_text(signal, bytes->view()) : "error: " + bytes.error().message;
}
std::string in_span(std::string_view members) {
  return R"({"resourceSpans":[{"scopeSpans":[{"spans":[{)" + std::string(members) + "}]}]}]}";
}
std::string read_span(std::string_view members) {
  std::string text = read(Signal::Traces, in_span(members));
  const std::string_view head = "traces\n  resource\n    scope\n      span\n";
  if (text.starts_with(head)) text.erase(0, head.size());
  return text;
}

TEST(OtlpJson, ReadsEachWayOfWritingTheSame) {
  const std::string usual = read_span(R"(
      "traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"GET",
      "kind":2,"startTimeUnixNano":"1000000001","endTimeUnixNano":"2000000000",
      "attributes":[{"key":"a","value":{"intValue":"-7"}},{"key":"b","value":{"intValue":"8"}},
        {"key":"c","value":{"doubleValue":0.5}},{"key":"d","value":{"bytesValue":"aGk/"}},
        {"key":"e","value":{"arrayValue":{"values":[{"boolValue":true},{}]}}}],
      "status":{"code":2})");
  EXPECT_EQ(
      usual,
      "        trace_id: 5b8efff798038103d269b633813fc60c\n        span_id: eee19b7ec3c1b174\n"
      "        name: \"GET\"\n        kind: server\n        start: 1000000001ns\n"
      "        end: 2s\n        status: error\n        a = -7\n        b = 8\n"
      "        c = 0.5\n        d = 0x68693f\n        e = [true, null]\n");
  EXPECT_EQ(usual, read_span(R"(
      "trace_id":"5B8EFFF798038103D269B633813FC60C","span_id":"EEE19B7EC3C1B174","name":"\u0047ET",
      "kind":"SPAN_KIND_SERVER","start_time_unix_nano":1000000001,"end_time_unix_nano":2e9,
      "attributes":[{"key":"a","value":{"int_value":-7.0}},{"key":"b","value":{"intValue":8}},
        {"key":"c","value":{"double_value":"0.5"}},{"key":"d","value":{"bytes_value":"aGk_"}},
        {"key":"e","value":{"array_value":{"values":[{"bool_value":true},{}]}}}],
      "status":{"code":"STATUS_CODE_ERROR"},"unknown":{"deep":[1,{"x":null}]},"traceState":null)"));
}

TEST(OtlpJson, WritesIdsInHexadecimalAndEnumerationsAsNumbers) {
  const std::string json = in_span(
      R"("traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"GET \"/\"",)"
      R"("kind":2,"startTimeUnixNano":"18446744073709551615",)"
      R"("attributes":[{"key":"n","value":{"intValue":"-9223372036854775808"}},)"
      R"({"key":"d","value":{"doubleValue":"-Infinity"}},)"
      R"({"key":"b","value":{"bytesValue":"aGk/"}},{"key":"none","value":{}},)"
      R"({"key":"empty","value":{"stringValue":""}}],"status":{"code":1})");
  const auto bytes = otlp_from_json(Signal::Traces, OtlpBody::Request, json, kLimit);
  ASSERT_TRUE(bytes) << bytes.error().message;
  const auto again = otlp_to_json(Signal::Traces, OtlpBody::Request, std::span(&*bytes, 1));
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, json);
}

TEST(OtlpJson, WritesSeveralChunksAsOneObject) {
  const std::string one = R"({"resourceLogs":[{"schemaUrl":"a"}]})";
  const auto bytes = otlp_from_json(Signal::Logs, OtlpBody::Request, one, kLimit);
  const std::vector<Bytes> chunks = {*bytes, *bytes};
  EXPECT_EQ(*otlp_to_json(Signal::Logs, OtlpBody::Request, chunks),
            R"({"resourceLogs":[{"schemaUrl":"a"},{"schemaUrl":"a"}]})");
  EXPECT_EQ(*otlp_to_json(Signal::Logs, OtlpBody::Request, {}), "{}");
}

TEST(OtlpJson, CarriesResponses) {
  const std::string json = R"({"partialSuccess":{"rejectedDataPoints":"3","errorMessage":"late"}})";
  const auto bytes = otlp_from_json(Signal::Metrics, OtlpBody::Response, json, kLimit);
  ASSERT_TRUE(bytes) << bytes.error().message;
  EXPECT_EQ(bytes->view(), std::string_view("\x0a\x08\x08\x03\x12\x04late", 10));
  EXPECT_EQ(*otlp_to_json(Signal::Metrics, OtlpBody::Response, std::span(&*bytes, 1)), json);
  EXPECT_EQ(rpc_status_to_json(3, "no \"x\""), R"({"code":3,"message":"no \"x\""})");
}

TEST(OtlpJson, SaysWhereTheMistakeIs) {
  const std::string_view path = "error: the JSON is wrong at resourceSpans.scopeSpans.spans.";
  const std::pair<const char*, std::string> cases[] = {
      {R"("traceId":"xyz!")", "traceId: is no hexadecimal id"},
      {R"("traceId":"abc")", "traceId: is no hexadecimal id"},
      {R"("name":5)", "name: is no string"},
      {R"("kind":"SERVER")", "kind: is no such enumerator"},
      {R"("kind":2.5)", "kind: is no whole number in range"},
      {R"("startTimeUnixNano":-1)", "startTimeUnixNano: is no whole number in range"},
      {R"("startTimeUnixNano":"18446744073709551616")",
       "startTimeUnixNano: is no whole number in range"},
      {R"("flags":4294967296)", "flags: is no whole number in range"},
      {R"("events":{})", "events: is no array"},
      {R"("name":"\x")", "name: "},
      {R"("name":"\ud800\x")", "name: "},
      {R"("name":"\ud800\uzzzz")", "name: "},
      {R"("name":"\uzzzz")", "name: "},
      {R"("status":[])", "status: is no object"},
      {R"("attributes":[{"value":{"boolValue":"true"}}])",
       "attributes.value.boolValue: is neither true nor false"},
      {R"("attributes":[{"value":{"bytesValue":"a"}}])",
       "attributes.value.bytesValue: is no base64"},
  };
  for (const auto& [members, why] : cases) {
    const std::string said = read_span(members);
    EXPECT_TRUE(said.starts_with(std::string(path) + why)) << members << ": " << said;
  }
  for (const char* broken : {"", "[]", "{", "{}x", "true", "nullx", "null null", R"({"\x":1})",
                             "{\"resourceSpans\":[}", "\xff{}", "{\"a\" 1}"}) {
    EXPECT_TRUE(read(Signal::Traces, broken).starts_with("error: the JSON is wrong")) << broken;
  }
}

// As a Collector 0.158 takes them.
TEST(OtlpJson, TakesNullForAnEmptyElementAndAnEmptyRequest) {
  const auto bytes = [](Signal signal, std::string_view json) {
    const auto read = otlp_from_json(signal, OtlpBody::Request, json, kLimit);
    return read ? std::string(read->view()) : "error: " + read.error().message;
  };
  const std::pair<std::string, std::string> spans[] = {
      {R"("events":[{"name":"e"},null],"links":[null])",
       R"("events":[{"name":"e"},{}],"links":[{}])"},
      {R"("attributes":[null])", R"("attributes":[{}])"},
      {R"("attributes":[{"key":"a","value":{"arrayValue":{"values":[null,{"intValue":1}]}}}])",
       R"("attributes":[{"key":"a","value":{"arrayValue":{"values":[{},{"intValue":1}]}}}])"},
  };
  for (const auto& [null, empty] : spans) {
    EXPECT_EQ(bytes(Signal::Traces, in_span(null)), bytes(Signal::Traces, in_span(empty)));
  }
  EXPECT_EQ(bytes(Signal::Traces, R"({"resourceSpans":[null]})"), std::string("\x0a\0", 2));
  const std::string keys = R"({"resourceSpans":[{"resource":{"entityRefs":[{"idKeys":[)";
  EXPECT_EQ(bytes(Signal::Traces, keys + R"(null,"a"]}]}}]})"),
            bytes(Signal::Traces, keys + R"("","a"]}]}}]})"));
  for (const char* empty : {"null", " null\n", R"({"resourceSpans":null})"}) {
    EXPECT_EQ(bytes(Signal::Traces, empty), "") << empty;
  }
  const Signal all[] = {Signal::Traces, Signal::Metrics, Signal::Logs};
  const auto none = otlp_requests_from_json("null", all, kLimit);
  EXPECT_TRUE(none && none->empty());
  // Numbers are not taken so.
  EXPECT_TRUE(bytes(Signal::Metrics,
                    R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"histogram":)"
                    R"({"dataPoints":[{"bucketCounts":[null]}]}}]}]}]})")
                  .contains("bucketCounts: holds null"));
}

TEST(OtlpJson, WritesAndReadsProfilesWithTheirDictionary) {
  // As the Collector 0.158 writes it.
  constexpr std::string_view kJson =
      R"({"resourceProfiles":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},)"
      R"("scopeProfiles":[{"scope":{},"profiles":[{"sampleType":{"typeStrindex":1,"unitStrindex":2},)"
      R"("samples":[{"stackIndex":1,"attributeIndices":[1],"values":["7"],"timestampsUnixNano":["1000000000"]},)"
      R"({"values":["8","-1"]}],"timeUnixNano":"1000000000","durationNano":"500","periodType":{},)"
      R"("period":"50","profileId":"0102030405060708090a0b0c0d0e0f10","attributeIndices":[1]}]}]}],)"
      R"("dictionary":{"mappingTable":[{},{"memoryStart":"4096","filenameStrindex":4}],)"
      R"("locationTable":[{},{"mappingIndex":1,"address":"4660","lines":[{"functionIndex":1,"line":"13"}]}],)"
      R"("functionTable":[{},{"nameStrindex":4,"startLine":"12"}],"linkTable":[{}],)"
      R"("stringTable":["","cpu","nanoseconds","","main"],)"
      R"("attributeTable":[{},{"keyStrindex":4,"value":{"stringValue":"x"},"unitStrindex":2}],)"
      R"("stackTable":[{},{"locationIndices":[1,0]}]}})";
  const auto read = otlp_from_json(Signal::Profiles, OtlpBody::Request, kJson, kLimit);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_TRUE(validate(Signal::Profiles, read->view()));
  EXPECT_EQ(*otlp_to_json(Signal::Profiles, OtlpBody::Request, std::span(&*read, 1)), kJson);
  const Bytes partial = *otlp_from_json(Signal::Profiles, OtlpBody::Response,
                                        R"({"partialSuccess":{"rejectedProfiles":"3"}})", kLimit);
  EXPECT_EQ(partial.view(), "\x0a\x02\x08\x03");
}

TEST(OtlpJson, TakesHalvesOfSurrogatePairs) {
  const std::pair<const char*, const char*> cases[] = {
      {R"(a\ud800b)", "a\uFFFDb"},
      {R"(a\uDC00b)", "a\uFFFDb"},
      {R"(a\ud800\u0041b)", "a\uFFFDAb"},
      {R"(\ud83d\ude00 \ud83d)", "\U0001F600 \uFFFD"},
      {R"(\ud800\ud800\udc00)", "\uFFFD\uFFFD\uFFFD"},
      {R"(\ud800\n\"\u00e9\u20ac\/)", "\uFFFD\n\"\u00e9\u20ac/"},
  };
  for (const auto& [escaped, meant] : cases) {
    const auto with = [](std::string_view text) {
      return otlp_from_json(Signal::Traces, OtlpBody::Request,
                            in_span(R"("name":")" + std::string(text) + R"(","events":[{}])"),
                            kLimit);
    };
    const auto taken = with(escaped);
    ASSERT_TRUE(taken) << escaped << taken.error().message;
    EXPECT_TRUE(taken->view().contains(meant)) << escaped;
  }
  // A key with one is none that is known.
  EXPECT_EQ(read_span(R"("na\ud800me":"x","name":"n")"), read_span(R"("name":"n")"));
}

TEST(OtlpJson, BoundsWhatComesOutAndHowDeepItNests) {
  std::string counts = R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"histogram":)"
                       R"({"dataPoints":[{"bucketCounts":[0)";
  for (int i = 0; i < 10'000; ++i) counts += ",0";
  counts += "]}]}}]}]}]}";
  EXPECT_TRUE(otlp_from_json(Signal::Metrics, OtlpBody::Request, counts, kLimit));
  const auto over = otlp_from_json(Signal::Metrics, OtlpBody::Request, counts, 50'000);
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error().kind, ErrorKind::Exhausted);
  EXPECT_EQ(over.error().message, "the message is over the limit of 50000 bytes");

  const auto nested = [](int levels) {
    std::string value = "{}";
    for (int i = 0; i < levels; ++i) value = R"({"arrayValue":{"values":[)" + value + "]}}";
    return in_span(R"("attributes":[{"key":"k","value":)" + value + "}]");
  };
  EXPECT_TRUE(otlp_from_json(Signal::Traces, OtlpBody::Request, nested(295), kLimit));
  const auto deep = otlp_from_json(Signal::Traces, OtlpBody::Request, nested(300), kLimit);
  ASSERT_FALSE(deep);
  EXPECT_NE(deep.error().message.find("nests too deep"), std::string::npos);
  EXPECT_LT(deep.error().message.size(), 1000u);
  EXPECT_FALSE(otlp_from_json(Signal::Traces, OtlpBody::Request, nested(5000), kLimit));
  EXPECT_FALSE(otlp_from_json(Signal::Traces, OtlpBody::Request, nested(10'000), kLimit));
  // What is not known may nest: nobody goes down there.
  const std::string skipped = R"({"unknown":)" + std::string(1000, '[') + std::string(1000, ']');
  EXPECT_TRUE(otlp_from_json(Signal::Traces, OtlpBody::Request, skipped + "}", kLimit));
}

// A request of one span with an attribute of each of these values.
Bytes with_values(const std::vector<std::string>& values) {
  std::string span;
  for (const std::string& value : values) {
    std::string attribute;
    proto::Writer(attribute).bytes(otlp::key_value::kKey, "k");
    proto::Writer(attribute).bytes(otlp::key_value::kValue, value);
    proto::Writer(span).bytes(otlp::span::kAttributes, attribute);
  }
  std::string body = std::move(span);
  for (const uint32_t number : {2U, 2U, 1U}) {
    std::string outer;
    proto::Writer(outer).bytes(number, body);
    body = std::move(outer);
  }
  return Bytes::take(std::move(body));
}
// "deep" in that many arrays, or maps.
std::string nested_value(int levels, bool maps) {
  std::string value;
  proto::Writer(value).bytes(otlp::any_value::kString, "deep");
  for (int i = 0; i < levels; ++i) {
    std::string element;
    if (maps) {
      proto::Writer(element).bytes(otlp::key_value::kValue, value);
    } else {
      element = std::move(value);
    }
    std::string list;
    proto::Writer(list).bytes(otlp::list::kValues, element);
    value.clear();
    proto::Writer(value).bytes(maps ? otlp::any_value::kMap : otlp::any_value::kArray, list);
  }
  return value;
}

bool same_json(const Bytes& request, std::string_view json) {
  const auto text = otlp_to_json(Signal::Traces, OtlpBody::Request, std::span(&request, 1));
  return text && *text == json;
}
// With so little for a stack.
void in_thread(size_t stack, std::move_only_function<void()> work) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, stack);
  pthread_t thread{};
  const auto run = [](void* it) -> void* {
    (*static_cast<std::move_only_function<void()>*>(it))();
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&thread, &attributes, run, &work), 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

TEST(OtlpJson, GoesDownToItsBoundOnAQuarterOfAStack) {
  for (const bool maps : {false, true}) {
    const Bytes chunk = with_values({nested_value(maps ? 197 : 296, maps)});
    in_thread(size_t{2} << 20, [&] {
      JsonChanges changes;
      const auto json =
          otlp_to_json(Signal::Traces, OtlpBody::Request, std::span(&chunk, 1), &changes);
      ASSERT_TRUE(json);
      EXPECT_EQ(changes.folded, 0u);
      const auto again = otlp_from_json(Signal::Traces, OtlpBody::Request, *json, kLimit);
      ASSERT_TRUE(again) << again.error().message;
      EXPECT_TRUE(same_json(*again, *json));
    });
  }
}

TEST(OtlpJson, WritesWhatNestsTooDeepAsTheBytesOfItsProtobuf) {
  std::string plain;
  proto::Writer(plain).bytes(otlp::any_value::kString, "plain");
  for (const bool maps : {false, true}) {
    bool folded_before = false;
    for (int levels : {1,   20,  31,  47,  60,  150, 190, 195, 196, 197, 198, 199,
                       200, 220, 290, 294, 295, 296, 297, 298, 299, 300, 310, 350}) {
      const Bytes chunk = with_values({plain, nested_value(levels, maps)});
      JsonChanges changes;
      const auto json =
          otlp_to_json(Signal::Traces, OtlpBody::Request, std::span(&chunk, 1), &changes);
      ASSERT_TRUE(json) << levels;
      EXPECT_NE(json->find("plain"), json->npos);
      EXPECT_EQ(changes.folded == 0, json->contains("\"deep\"")) << levels;
      EXPECT_GE(changes.folded == 1, folded_before) << levels;
      folded_before = changes.folded == 1;
      // Whatever is written can be read.
      const auto again = otlp_from_json(Signal::Traces, OtlpBody::Request, *json, kLimit);
      ASSERT_TRUE(again) << again.error().message;
      if (changes.folded == 0) EXPECT_TRUE(same_json(*again, *json)) << levels;
      if (levels < 30) EXPECT_EQ(again->view(), chunk.view());
      if (changes.folded == 1) EXPECT_TRUE(again->view().contains("deep"));
    }
    EXPECT_TRUE(folded_before);
  }
  // However deep it is, and each on its own.
  const Bytes chunk = with_values({nested_value(3000, false), plain, nested_value(3000, true)});
  JsonChanges changes;
  const auto json = otlp_to_json(Signal::Traces, OtlpBody::Request, std::span(&chunk, 1), &changes);
  ASSERT_TRUE(json);
  EXPECT_EQ(changes.folded, 2u);
  EXPECT_TRUE(otlp_from_json(Signal::Traces, OtlpBody::Request, *json, kLimit));
}

TEST(OtlpJson, PassesOverFieldsThatHaveNoNameInJson) {
  EXPECT_EQ(read_span(R"("":[5],"attributes":[{"key":"a","":{},"value":{"":5,"boolValue":true}}])"),
            "        a = true\n");
}

TEST(OtlpJson, KeepsPlacesInADictionaryWhoeverSendsThem) {
  std::string value;
  proto::Writer(value).bytes(otlp::any_value::kString, "plain");
  proto::Writer(value).varint(otlp::any_value::kStringIndex, 5);
  const Bytes indexed = with_values({value});
  const auto json = otlp_to_json(Signal::Traces, OtlpBody::Request, std::span(&indexed, 1));
  EXPECT_TRUE(json->contains(R"("value":{"stringValueStrindex":5})")) << *json;
}

TEST(OtlpJson, WritesTheLastOfAOneofHoweverOftenItWasChosen) {
  const auto gauge_at = [](uint64_t time) {
    std::string point;
    proto::Writer(point).fixed64(otlp::point::kTime, time);
    std::string gauge;
    proto::Writer(gauge).bytes(otlp::points::kPoints, point);
    return gauge;
  };
  // So many that a look at all of them for each would not end.
  constexpr int kTimes = 400'000;
  std::string metric;
  proto::Writer out(metric);
  for (int i = 0; i < kTimes; ++i) out.bytes(otlp::metric::kMetadata, "");
  out.bytes(otlp::metric::kGauge, gauge_at(1));
  for (int i = 0; i < kTimes; ++i) {
    out.bytes(otlp::metric::kSum, gauge_at(2));
    out.bytes(otlp::metric::kGauge, "");
  }
  // Pieces of the same one are joined, as they come after the sum.
  out.bytes(otlp::metric::kGauge, gauge_at(3));
  out.bytes(otlp::metric::kName, "m");
  out.bytes(otlp::metric::kGauge, gauge_at(4));
  std::string body = std::move(metric);
  for (const uint32_t number : {2U, 2U, 1U}) {
    std::string outer;
    proto::Writer(outer).bytes(number, body);
    body = std::move(outer);
  }
  const Bytes chunk = Bytes::take(std::move(body));
  const auto json = otlp_to_json(Signal::Metrics, OtlpBody::Request, std::span(&chunk, 1));
  ASSERT_TRUE(json);
  std::string metadata = "{}";
  for (int i = 1; i < kTimes; ++i) metadata += ",{}";
  const std::string whole =
      R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","gauge":{"dataPoints":)"
      R"([{"timeUnixNano":"3"},{"timeUnixNano":"4"}]},"metadata":[)" +
      metadata + "]}]}]}]}";
  EXPECT_TRUE(*json == whole) << json->substr(0, 200);
}

TEST(OtlpJson, WritesWhatIsDamagedAsFarAsItParses) {
  std::string plain;
  proto::Writer(plain).bytes(otlp::any_value::kString, "plain");
  const Bytes chunk = with_values({plain, plain + "\x0a\x7f", plain});
  JsonChanges changes;
  const auto json = otlp_to_json(Signal::Traces, OtlpBody::Request, std::span(&chunk, 1), &changes);
  ASSERT_TRUE(json);
  EXPECT_EQ(changes.damaged, 1u);
  const Bytes good = with_values({plain, plain, plain});
  EXPECT_EQ(*json, *otlp_to_json(Signal::Traces, OtlpBody::Request, std::span(&good, 1)));
  const Bytes damaged = Bytes::copy("\x0a\x7f");
  EXPECT_FALSE(otlp_to_json(Signal::Traces, OtlpBody::Request, std::span(&damaged, 1)));
}

}  // namespace
}  // namespace sonde::wire
