// SPDX-License-Identifier: Apache-2.0
#include "data/metric_writer.h"
#include "data/span_writer.h"
#include "pipeline/test_component.h"

const sonde::pipeline::ComponentType& sonde_component_processor_attributes();

namespace sonde {
namespace {

using pipeline::TestComponent;

// What one span with these attribute lines has after these actions.
std::string after(std::string_view actions, std::string_view attributes,
                  std::shared_ptr<const RequestContext> context = nullptr) {
  TestComponent attribute(sonde_component_processor_attributes(),
                          "actions: " + std::string(actions));
  EXPECT_EQ(attribute.error, "");
  if (!attribute.component) return {};
  constexpr std::string_view kHead = "traces\n  resource\n    scope\n      span\n";
  std::string text(kHead);
  text += "        name: \"n\"\n";
  text += attributes;
  std::string out = attribute.give(text, std::move(context));
  const size_t at = out.find("name: \"n\"\n");
  return at == std::string::npos ? out : out.substr(at + 10);
}

std::string refusal(std::string_view settings) {
  return TestComponent(sonde_component_processor_attributes(), settings).error;
}

TEST(Attributes, HashesEveryTypeAsTheCollector) {
  EXPECT_EQ(after("[{key: s, action: hash}]", "        s = \"abc\"\n"),
            "        s = \"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"\n");
  EXPECT_EQ(after("[{key: s, action: hash}]", "        s = \"\"\n"),
            "        s = \"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"\n");
  // The eight bytes of the number, little-endian.
  EXPECT_EQ(after("[{key: n, action: hash}]", "        n = 1\n"),
            "        n = \"7c9fa136d4413fa6173637e883b6998d32e1d675f88cddff9dcbcf331820f4b8\"\n");
  EXPECT_EQ(after("[{pattern: '^b', action: hash}]", "        b1 = true\n        a = true\n"),
            "        b1 = \"4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a\"\n"
            "        a = true\n");
}

TEST(Attributes, ConvertsValuesAndKeepsTextThatIsNoSuchNumber) {
  const auto converted = [](const std::string& type, const std::string& value) {
    return after("[{key: a, action: convert, converted_type: " + type + "}]",
                 "        a = " + value + "\n");
  };
  EXPECT_EQ(converted("int", "\"+42\""), "        a = 42\n");
  EXPECT_EQ(converted("int", "\"4.2\""), "        a = \"4.2\"\n");
  EXPECT_EQ(converted("int", "4.9"), "        a = 4\n");
  EXPECT_EQ(converted("int", "true"), "        a = 1\n");
  EXPECT_EQ(converted("double", "\"1e3\""), "        a = 1000.0\n");
  EXPECT_EQ(converted("double", "3"), "        a = 3.0\n");
  EXPECT_EQ(converted("string", "3"), "        a = \"3\"\n");
}

TEST(Attributes, ReadsTheContextOfTheRequest) {
  auto context = std::make_shared<RequestContext>();
  context->metadata = {{"x-tenant", "acme"}, {"x-tenant", "beta"}};
  context->auth = {{"subject", "bob"}};
  context->peer = "[::1]:4317";
  EXPECT_EQ(after("[{key: t, action: insert, from_context: metadata.X-Tenant},"
                  " {key: u, action: insert, from_context: x-tenant},"
                  " {key: s, action: insert, from_context: auth.subject},"
                  " {key: p, action: insert, from_context: client.address},"
                  " {key: n, action: insert, from_context: metadata.none},"
                  " {key: d, action: insert, from_context: metadata.none, default_value: x}]",
                  "", context),
            "        t = \"acme;beta\"\n        u = \"acme;beta\"\n        s = \"bob\"\n"
            "        p = \"::1\"\n        d = \"x\"\n");
}

// 300 MB out of less than a MB; as points of one metric, 3 GB ended the process.
TEST(Attributes, RefusesToGiveALongValueToVeryManyItems) {
  TestComponent attributes(sonde_component_processor_attributes(),
                           "actions: [{key: t, action: insert, from_context: metadata.t}]");
  auto context = std::make_shared<RequestContext>();
  context->metadata = {{"t", std::string(10'000, 'x')}};
  const auto give = [&](Signal signal, int items) {
    Outcome outcome;
    Ack ack = Ack::make(nullptr, [&](Outcome done) { outcome = done; });
    TraceBatchBuilder spans;
    MetricBatchBuilder points;
    points.gauge({.name = "g"});
    for (int i = 0; i < items; ++i) {
      if (signal == Signal::Traces)
        spans.span({});
      else
        points.point({}, int64_t{1}, {});
    }
    Batch batch = signal == Signal::Traces ? spans.build() : points.build();
    batch.ack = std::move(ack);
    batch.context = context;
    attributes.component->consume(std::move(batch));
    return outcome;
  };
  for (const Signal signal : {Signal::Traces, Signal::Metrics}) {
    const Outcome refused = give(signal, 30'000);
    EXPECT_EQ(refused.kind, Outcome::Failed);
    EXPECT_EQ(refused.error.kind, ErrorKind::Invalid);
    EXPECT_NE(refused.error.message.find("would become larger"), std::string::npos);
    EXPECT_TRUE(attributes.sink.batches.empty());
    EXPECT_EQ(give(signal, 100).kind, Outcome::Delivered);
    attributes.sink.batches.clear();
  }
}

TEST(Attributes, SaysWhichActionIsWrongAndWhy) {
  const std::pair<std::string_view, std::string_view> kCases[] = {
      {"actions: []", "actions: give at least one"},
      {"actions: [{key: a, action: replace}]", "actions::0: action: \"replace\" is none of"},
      {"actions: [{key: a, action: delete}, {action: insert, value: 1}]",
       "actions::1: it has no key"},
      {"actions: [{action: delete}]", "give a key or a pattern"},
      {"actions: [{key: a, action: insert}]", "insert needs one of value"},
      {"actions: [{key: a, action: upsert, value: 1, from_attribute: b}]", "takes only one of"},
      {"actions: [{key: a, action: hash, value: 1}]", "hash does not take value"},
      {"actions: [{key: a, action: extract}]", "extract needs a pattern"},
      {"actions: [{key: a, action: extract, pattern: a(b)}]", "every group needs a name"},
      {"actions: [{key: a, action: extract, pattern: ab}]", "no named group"},
      {"actions: [{key: a, action: extract, pattern: 'a('}]", "is no regular expression"},
      {"actions: [{key: a, action: convert, converted_type: bool}]", "must be int, double or"},
      {"actions: [{key: a, action: insert, value: 2001-01-01}]", "is a date"},
      {"{actions: [{key: a, action: delete}], include: {match_type: glob}}",
       "must be one of strict, regexp"}};
  for (const auto& [settings, error] : kCases) {
    EXPECT_NE(refusal(settings).find(error), std::string::npos)
        << settings << " gave: " << refusal(settings);
  }
}

TEST(Attributes, HandsThroughUntouchedWhatNothingChanges) {
  TestComponent attributes(sonde_component_processor_attributes(),
                           "actions: [{key: none, action: delete}]");
  auto batch = from_text("traces\n  resource\n    scope\n      span\n        name: \"n\"\n");
  ASSERT_TRUE(batch);
  batch->original = std::make_shared<Encoded>();
  const char* bytes = batch->chunks[0].view().data();
  attributes.component->consume(std::move(*batch));
  ASSERT_EQ(attributes.sink.batches.size(), 1u);
  EXPECT_EQ(attributes.sink.batches[0].chunks[0].view().data(), bytes);
  EXPECT_NE(attributes.sink.batches[0].original, nullptr);
}

TEST(Attributes, RefusesWhatDoesNotParse) {
  TestComponent attributes(sonde_component_processor_attributes(),
                           "actions: [{key: a, action: insert, value: 1}]");
  Outcome outcome;
  attributes.component->consume(
      Batch(Signal::Traces, {Bytes::copy("\x0a\xff")},
            Ack::make(nullptr, [&](Outcome done) { outcome = std::move(done); })));
  EXPECT_EQ(outcome.kind, Outcome::Failed);
  EXPECT_EQ(outcome.error.kind, ErrorKind::Invalid);
}

}  // namespace
}  // namespace sonde
