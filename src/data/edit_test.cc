// SPDX-License-Identifier: Apache-2.0
// What rewrite() makes of a chunk, against the same edit done with libprotobuf's classes.
#include "data/edit.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "data/count.h"
#include "data/testing/otlp.pb.h"
#include "data/testing/sample.h"
#include "data/text.h"

namespace sonde {
namespace {

// An editor of functions, so that each test says only what it does.
struct Script : Editor {
  std::function<bool(ResourceEdit&)> on_resource;
  std::function<bool(ScopeEdit&, ResourceEdit&)> on_scope;
  std::function<bool(SpanEdit&, Owners&)> on_span;
  std::function<bool(LogEdit&, Owners&)> on_log;
  std::function<bool(MetricEdit&, Owners&)> on_metric;
  Depth deepest = Depth::Items;

  Depth depth() const override { return deepest; }
  bool resource(ResourceEdit& r) override { return !on_resource || on_resource(r); }
  bool scope(ScopeEdit& s, ResourceEdit& r) override { return !on_scope || on_scope(s, r); }
  bool span(SpanEdit& s, Owners& o) override { return !on_span || on_span(s, o); }
  bool log(LogEdit& l, Owners& o) override { return !on_log || on_log(l, o); }
  bool metric(MetricEdit& m, Owners& o) override { return !on_metric || on_metric(m, o); }
};

Rewritten rewrite(Signal signal, const Bytes& chunk, Editor& editor) {
  Rewriter rewriter;
  auto done = rewriter.rewrite(signal, chunk, editor);
  EXPECT_TRUE(done) << done.error().message;
  return done.value_or(Rewritten{});
}

Bytes chunk_of(std::string_view text) {
  auto batch = from_text(text);
  EXPECT_TRUE(batch) << batch.error().message;
  return batch->chunks.empty() ? Bytes() : batch->chunks[0];
}

template <class Message>
std::string normal(std::string_view bytes) {
  Message message;
  EXPECT_TRUE(message.ParseFromString(std::string(bytes)));
  return message.SerializeAsString();
}

TEST(Edit, AgreesWithLibprotobufOnEverySpan) {
  const Batch batch = testing::sample_spans(50);
  testing::TracesRequest request;
  ASSERT_TRUE(request.ParseFromString(std::string(batch.chunks[0].view())));
  auto* group = request.mutable_resource_spans(0);
  auto* spans = group->mutable_scope_spans(0)->mutable_spans();
  const std::string big(5000, 'b');
  Script script;
  int number = 0;
  script.on_resource = [](ResourceEdit& r) { return r.attributes().erase("host.name"); };
  script.on_span = [&](SpanEdit& edit, Owners&) {
    const int i = number++;
    if (i == 49) return false;
    if (i % 2 == 1) return true;
    const std::string value = i % 4 == 0 ? "x" : big;
    MessageEdit& attributes = edit.attributes();
    attributes.set("http.route", "first");
    attributes.set("http.route", value);
    EXPECT_TRUE(attributes.erase("server.port"));
    EXPECT_FALSE(attributes.erase("server.port"));
    attributes.set("new", int64_t{i});
    attributes.set("newer", 0.5);
    attributes.set("new", int64_t{i + 1});
    EXPECT_EQ(attributes.get("http.route")->as_string(), value);
    EXPECT_EQ(attributes.get("new")->as_int(), i + 1);
    EXPECT_FALSE(attributes.has("server.port"));
    auto& span = (*spans)[i];
    span.mutable_attributes(4)->mutable_value()->set_string_value(value);
    span.mutable_attributes()->DeleteSubrange(6, 1);
    auto* added = span.add_attributes();
    added->set_key("new");
    added->mutable_value()->set_int_value(i + 1);
    added = span.add_attributes();
    added->set_key("newer");
    added->mutable_value()->set_double_value(0.5);
    return true;
  };
  const Rewritten done = rewrite(Signal::Traces, batch.chunks[0], script);
  EXPECT_EQ(number, 50);
  EXPECT_EQ(done.dropped, 1U);
  spans->RemoveLast();
  group->mutable_resource()->mutable_attributes()->DeleteSubrange(1, 1);
  EXPECT_EQ(done.chunk.view(), request.SerializeAsString());
}

TEST(Edit, HandsBackTheSameBytesWhenNothingChanges) {
  const Batch batch = testing::sample_spans(3);
  Script script;
  size_t seen = 0;
  script.on_span = [&](SpanEdit& span, Owners&) { return ++seen, !span.attributes().has("none"); };
  const Rewritten done = rewrite(Signal::Traces, batch.chunks[0], script);
  EXPECT_EQ(done.chunk.data(), batch.chunks[0].data());
  EXPECT_FALSE(done.changed);
  EXPECT_EQ(seen, 3U);
}

TEST(Edit, CopiesAValueFromOneAttributeToAnother) {
  const Bytes chunk =
      chunk_of("logs\n  resource\n    scope\n      log\n        a = [1, {k = \"v\"}]\n");
  Script script;
  script.on_log = [](LogEdit& log, Owners&) {
    MessageEdit& a = log.attributes();
    a.set("text", std::string(400, 't'));
    // The view lies in the memory that this very call may have to enlarge.
    for (int i = 0; i < 20; ++i) a.set("copy" + std::to_string(i), a.get("text")->as_string());
    std::string_view raw;
    FieldRange<KeyValueView> all(log.message().original(), otlp::log::kAttributes);
    for (const KeyValueView& pair : all) raw = pair.value.bytes();
    std::string any;
    proto::Writer(any).bytes(otlp::any_value::kArray, raw);
    a.set_any("list", any);
    EXPECT_EQ(a.get("copy19")->as_string(), std::string(400, 't'));
    EXPECT_EQ(a.erase_if([](const KeyValueView& p) { return p.key.starts_with("copy"); }), 20U);
    a.erase("text");
    return true;
  };
  EXPECT_EQ(to_text(Signal::Logs, rewrite(Signal::Logs, chunk, script).chunk.view()),
            "logs\n  resource\n    scope\n      log\n        a = [1, {k = \"v\"}]\n"
            "        list = [1, {k = \"v\"}]\n");
}

TEST(Edit, ReplacesADuplicateKeyOnceAndOddShapesToo) {
  std::string chunk;
  proto::Writer out(chunk);
  const auto pair = [&](std::initializer_list<std::pair<uint32_t, std::string_view>> fields) {
    out.nested(9, [&] {
      for (const auto& [number, bytes] : fields) out.bytes(number, bytes);
    });
  };
  out.nested(1, [&] {
    out.nested(2, [&] {
      out.nested(2, [&] {
        pair({{1, "k"},
              {2,
               "\x0a\x01"
               "1"}});
        pair({{2,
               "\x0a\x01"
               "2"},
              {1, "k"}});  // The value first.
        pair({{1, "x"},
              {1, "k"},
              {2,
               "\x0a\x01"
               "3"}});  // The last key counts.
        pair({{1, "k"}});
        pair({{1, "other"}, {7, "?"}, {2, ""}});
      });
    });
  });
  Script script;
  script.on_span = [](SpanEdit& span, Owners&) {
    EXPECT_EQ(span.attributes().get("k")->as_string(), "1");
    span.attributes().set("k", "new");
    return true;
  };
  const Rewritten done = rewrite(Signal::Traces, Bytes::copy(chunk), script);
  EXPECT_EQ(to_text(Signal::Traces, done.chunk.view()).substr(0, 70),
            "traces\n  resource\n    scope\n      span\n        k = \"new\"\n        other");
}

TEST(Edit, KeepsWhatItDoesNotKnowAndMakesAMissingResource) {
  std::string chunk;
  proto::Writer out(chunk);
  out.nested(1, [&] {
    out.nested(2, [&] {
      out.nested(2, [&] {
        out.bytes(5, "name");
        out.varint(99, 7);
      });
      out.bytes(77, "unknown");
    });
    out.fixed32(88, 1);
  });
  Script script;
  script.on_resource = [](ResourceEdit& r) {
    return r.attributes().set("service.name", "c"), true;
  };
  script.on_span = [](SpanEdit& s, Owners&) { return s.attributes().set("a", true), true; };
  EXPECT_EQ(
      to_text(Signal::Traces, rewrite(Signal::Traces, Bytes::copy(chunk), script).chunk.view()),
      "traces\n"
      "  resource\n"
      "    service.name = \"c\"\n"
      "    scope\n"
      "      span\n"
      "        name: \"name\"\n"
      "        a = true\n"
      "        ?99: varint 7\n"
      "      ?77: bytes \"unknown\"\n"
      "    ?88: fixed32 1\n");
}

TEST(Edit, AnItemMayChangeWhatItBelongsTo) {
  const Batch batch = testing::sample_spans(3);
  Script script;
  int seen = 0;
  script.on_span = [&](SpanEdit& span, Owners& owners) {
    if (++seen == 1) span.set_name("first");
    if (seen == 2) {
      owners.resource.attributes().set("late", std::string(40000, 'l'));
      owners.scope.set_version("9");
    }
    EXPECT_EQ(owners.resource.attributes().has("late"), seen >= 2);
    return true;
  };
  testing::TracesRequest request;
  ASSERT_TRUE(request.ParseFromString(std::string(batch.chunks[0].view())));
  auto* group = request.mutable_resource_spans(0);
  auto* late = group->mutable_resource()->add_attributes();
  late->set_key("late");
  late->mutable_value()->set_string_value(std::string(40000, 'l'));
  group->mutable_scope_spans(0)->mutable_scope()->set_version("9");
  group->mutable_scope_spans(0)->mutable_spans(0)->set_name("first");
  EXPECT_EQ(rewrite(Signal::Traces, batch.chunks[0], script).chunk.view(),
            request.SerializeAsString());
}

constexpr std::string_view kTwoGroups = R"(logs
  resource
    service.name = "a"
    scope
      name: "s1"
      log
        n = 1
    scope
      name: "s2"
      log
        n = 2
      log
        n = 3
  resource
    service.name = "b"
    scope
      log
        n = 4
)";

TEST(Edit, EmptyScopesAndResourcesVanish) {
  const Bytes chunk = chunk_of(kTwoGroups);
  for (int64_t mask = 0; mask < 16; ++mask) {
    Script script;
    script.on_log = [&](LogEdit& log, Owners& owners) {
      owners.resource.attributes().set("seen", true);
      const int64_t n = log.attributes().get("n")->as_int();
      log.attributes().set("n", n + 100);
      return (mask >> (n - 1) & 1) != 0;
    };
    const Rewritten done = rewrite(Signal::Logs, chunk, script);
    std::string expected;
    const auto item = [&](int n) {
      return (mask >> (n - 1) & 1) != 0 ? "      log\n        n = " + std::to_string(100 + n) + "\n"
                                        : std::string();
    };
    const auto scope = [](std::string name, std::string items) {
      return items.empty() ? items : "    scope\n" + name + items;
    };
    const auto group = [&](std::string name, std::string scopes) {
      if (!scopes.empty())
        expected += "  resource\n    service.name = \"" + name + "\"\n    seen = true\n" + scopes;
    };
    group("a", scope("      name: \"s1\"\n", item(1)) +
                   scope("      name: \"s2\"\n", item(2) + item(3)));
    group("b", scope("", item(4)));
    if (mask == 0)
      EXPECT_TRUE(done.chunk.empty());
    else
      EXPECT_EQ(to_text(Signal::Logs, done.chunk.view()), "logs\n" + expected) << mask;
    EXPECT_EQ(done.dropped, 4U - static_cast<size_t>(__builtin_popcountll(mask)));
  }
}

TEST(Edit, DropsWholeScopesAndResourcesWithoutLookingInside) {
  const Bytes chunk = chunk_of(kTwoGroups);
  Script script;
  script.on_log = [](LogEdit&, Owners&) { return ADD_FAILURE(), true; };
  script.deepest = Editor::Depth::Scopes;
  script.on_scope = [](ScopeEdit& scope, ResourceEdit&) { return scope.name() != "s2"; };
  script.on_resource = [](ResourceEdit& r) {
    return r.attributes().get("service.name")->as_string() == "a";
  };
  const Rewritten done = rewrite(Signal::Logs, chunk, script);
  EXPECT_EQ(done.dropped, 3U);
  EXPECT_EQ(to_text(Signal::Logs, done.chunk.view()),
            "logs\n  resource\n    service.name = \"a\"\n    scope\n      name: \"s1\"\n"
            "      log\n        n = 1\n");
}

TEST(Edit, EditsLogFieldsAndSpanEventsAndLinks) {
  const Bytes logs = chunk_of(
      "logs\n  resource\n    scope\n      log\n        severity: 9\n"
      "        body: \"password=1\"\n");
  Script script;
  script.on_log = [](LogEdit& log, Owners&) {
    EXPECT_EQ(log.body().as_string(), "password=1");
    log.set_body("password=*");
    EXPECT_EQ(log.body().as_string(), "password=*");
    log.set_severity(0, "");
    return true;
  };
  EXPECT_EQ(to_text(Signal::Logs, rewrite(Signal::Logs, logs, script).chunk.view()),
            "logs\n  resource\n    scope\n      log\n        body: \"password=*\"\n");

  const Bytes spans = chunk_of(
      "traces\n  resource\n    scope\n      span\n        name: \"n\"\n        a = 1\n"
      "        event\n          name: \"keep\"\n          secret = 1\n"
      "        event\n          name: \"drop\"\n        link\n          flags: 3\n");
  script.on_span = [](SpanEdit& span, Owners&) {
    for (int round = 0; round < 2; ++round)
      EXPECT_EQ(span.for_each_event([&](EventEdit& event) {
        if (round == 0) event.attributes().set("secret", "*");
        if (round == 1) EXPECT_EQ(event.attributes().get("secret")->as_string(), "*");
        return event.name() != "drop";
      }),
                1U);
    EXPECT_EQ(
        span.for_each_link([](LinkEdit& link) { return link.attributes().set("l", 1.5), true; }),
        1U);
    span.set_name("named");
    span.set_status(StatusCode::Error, "boom");
    span.set_trace_state("a=b");
    return true;
  };
  EXPECT_EQ(to_text(Signal::Traces, rewrite(Signal::Traces, spans, script).chunk.view()),
            "traces\n  resource\n    scope\n      span\n        trace_state: \"a=b\"\n"
            "        name: \"named\"\n        status: error\n        status_message: \"boom\"\n"
            "        a = 1\n        event\n          name: \"keep\"\n          secret = \"*\"\n"
            "        link\n          flags: 3\n          l = 1.5\n");
}

constexpr std::string_view kMetrics = R"(metrics
  resource
    scope
      metric
        name: "g"
        gauge
          point
            value: 1
            k = "g1"
            exemplar
              value: 2
              k = "e"
          point
            value: 2
            k = "g2"
      metric
        name: "h"
        histogram
          temporality: delta
          point
            count: 1
            k = "h1"
      metric
        name: "x"
        exponential_histogram
          point
            count: 1
            positive
              counts: [1, 2]
            k = "x1"
      metric
        name: "s"
        summary
          point
            count: 1
            k = "s1"
            at
              quantile: 0.5
              value: 3.0
      metric
        name: "empty"
        sum
          monotonic: true
)";

TEST(Edit, EditsAndDropsPointsOfEveryKind) {
  const Bytes chunk = chunk_of(kMetrics);
  EXPECT_EQ(to_text(Signal::Metrics, chunk.view()), kMetrics);
  for (const std::string_view victim : {"none", "g1", "g2", "h1", "x1", "s1"}) {
    Script script;
    script.on_metric = [&](MetricEdit& metric, Owners&) {
      metric.set_unit("u");
      metric.for_each_point([&](PointEdit& point) {
        const std::string key(point.attributes().get("k")->as_string());
        point.attributes().set("k", key + "!");
        point.for_each_exemplar([](MessageEdit& e) { return e.set("k", "*"), true; });
        return key != victim;
      });
      return true;
    };
    const Rewritten done = rewrite(Signal::Metrics, chunk, script);
    EXPECT_EQ(done.dropped, victim == "none" ? 0U : 1U);
    EXPECT_EQ(*count_items(Signal::Metrics, done.chunk.view()) + done.dropped, 5U);
    const std::string text = to_text(Signal::Metrics, done.chunk.view());
    for (const std::string_view key : {"g1", "g2", "h1", "x1", "s1"})
      EXPECT_EQ(text.find("k = \"" + std::string(key) + "!\"") != std::string::npos, key != victim);
    // A metric whose every point was dropped goes, one that never had any stays.
    EXPECT_EQ(text.find("name: \"h\"") != std::string::npos, victim != "h1");
    EXPECT_NE(text.find("name: \"g\""), std::string::npos);
    EXPECT_NE(text.find("name: \"empty\"\n        unit: \"u\""), std::string::npos);
    if (victim != "g1") EXPECT_NE(text.find("k = \"*\""), std::string::npos);
    testing::MetricsRequest request;
    EXPECT_TRUE(request.ParseFromString(std::string(done.chunk.view())));
  }
}

TEST(Edit, TidiesAResourceThatComesLateOrInPieces) {
  testing::ResourceSpans group;
  group.add_scope_spans()->add_spans()->set_name("x");
  testing::ResourceSpans a;
  a.mutable_resource()->add_attributes()->set_key("a");
  testing::ResourceSpans b;
  b.mutable_resource()->add_attributes()->set_key("b");
  const std::string body =
      a.SerializeAsString() + group.SerializeAsString() + b.SerializeAsString();
  std::string chunk;
  proto::Writer(chunk).bytes(1, body);
  for (const bool change : {false, true}) {
    Script script;
    script.on_resource = [&](ResourceEdit& r) {
      EXPECT_TRUE(r.attributes().has("a") && r.attributes().has("b"));
      if (change) r.attributes().set("b", int64_t{1});
      return true;
    };
    const Rewritten done = rewrite(Signal::Traces, Bytes::copy(chunk), script);
    testing::TracesRequest expected;
    ASSERT_TRUE(expected.ParseFromString(chunk));
    if (change)
      expected.mutable_resource_spans(0)
          ->mutable_resource()
          ->mutable_attributes(1)
          ->mutable_value()
          ->set_int_value(1);
    EXPECT_EQ(normal<testing::TracesRequest>(done.chunk.view()), expected.SerializeAsString());
    EXPECT_EQ(done.changed, change);
  }
}

TEST(Edit, SaysThatBytesAreMalformed) {
  const Batch batch = testing::sample_spans(2);
  const std::string whole(batch.chunks[0].view());
  Script script;
  script.on_span = [](SpanEdit& s, Owners&) { return s.attributes().set("k", "v"), true; };
  Rewriter rewriter;
  for (size_t size = 1; size < whole.size(); ++size)
    EXPECT_FALSE(rewriter.rewrite(Signal::Traces, Bytes::copy(whole.substr(0, size)), script));
  EXPECT_TRUE(rewriter.rewrite(Signal::Traces, Bytes::copy(whole), script));
}

// Whatever libprotobuf accepts is counted as it counts.
TEST(Count, AgreesWithLibprotobufOnMutatedBytes) {
  std::mt19937 random(7);
  const Bytes chunk = chunk_of(kMetrics);
  size_t accepted = 0;
  for (int round = 0; round < 60000; ++round) {
    std::string bytes(chunk.view());
    for (int i = 0; i < 1 + round % 3; ++i)
      bytes[random() % bytes.size()] = static_cast<char>(random() % 128);
    testing::MetricsRequest request;
    google::protobuf::LogSilencer silence;
    if (!request.ParseFromString(bytes)) continue;
    ++accepted;
    size_t expected = 0;
    for (const auto& group : request.resource_metrics())
      for (const auto& scope : group.scope_metrics())
        for (const auto& metric : scope.metrics())
          expected += static_cast<size_t>(metric.gauge().data_points_size() +
                                          metric.sum().data_points_size() +
                                          metric.histogram().data_points_size() +
                                          metric.exponential_histogram().data_points_size() +
                                          metric.summary().data_points_size());
    const auto count = count_items(Signal::Metrics, bytes);
    ASSERT_TRUE(count);
    ASSERT_EQ(*count, expected);
  }
  EXPECT_GT(accepted, 10000U);
}

TEST(Count, CountsSpansAndLogsAndRefusesCutBytes) {
  const Batch spans = testing::sample_spans(300);
  EXPECT_EQ(count_items(Signal::Traces, spans.chunks[0].view()).value(), 300U);
  EXPECT_EQ(count_items(Signal::Logs, chunk_of(kTwoGroups).view()).value(), 4U);
  EXPECT_EQ(count_items(Signal::Logs, "").value(), 0U);
  const std::string_view whole = spans.chunks[0].view();
  for (size_t size = 1; size < whole.size(); size += 101)
    EXPECT_FALSE(count_items(Signal::Traces, whole.substr(0, size)));
}

}  // namespace
}  // namespace sonde
