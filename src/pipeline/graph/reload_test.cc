// SPDX-License-Identifier: Apache-2.0
// What goes on, what is replaced, and in which order, when the configuration is read again.
#include <optional>

#include "pipeline/introspection/topology.h"
#include "pipeline/lease.h"
#include "pipeline/testing/noting_component.h"

namespace sonde::pipeline::noting {
namespace {

TEST_F(ReloadTest, TheSameConfigurationChangesNothing) {
  auto engine = start(chain("note: a"));
  Component* const source = engine->component("source");
  const auto report = engine->reload(graph("# moved by a line\n" + chain("note: a")));
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->kept, 3u);
  EXPECT_EQ(report->started, 0u);
  EXPECT_EQ(report->stopped, 0u);
  EXPECT_EQ(engine->component("source"), source);
  EXPECT_EQ(journal, Events{});
}

TEST_F(ReloadTest, AReceiverThatGoesOnFeedsTheNewProcessor) {
  auto engine = start(chain("note: a"));
  Component* const source = engine->component("source");
  const auto report = engine->reload(graph(chain("note: b")));
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->kept, 2u);
  EXPECT_EQ(engine->component("source"), source);
  EXPECT_EQ(journal,
            (Events{"start after step:b@0", "take over step:a step:b@0", "stop step:a@0"}));
  give(source, 2);
  EXPECT_EQ(journal.back(), "got 2 sink:@0");
}

TEST_F(ReloadTest, AChangedExporterTakesOverWhatWasHeld) {
  auto engine = start(chain("", "note: a, hold: true"));
  int delivered = 0;
  engine->input("traces")->consume(traces(3, Ack::make(nullptr, [&](Outcome) { ++delivered; })));
  ASSERT_TRUE(engine->reload(graph(chain("", "note: b, hold: true"))));
  EXPECT_EQ(delivered, 0);
  EXPECT_EQ(journal.back(), "stop sink:a@0");
  engine->stop();
  EXPECT_EQ(delivered, 1);
  EXPECT_EQ(std::ranges::count(journal, "got 3 sink:b@0"), 1);
}

TEST_F(ReloadTest, WhatAReplacedProcessorHoldsFlowsOn) {
  auto engine = start(chain("note: a, hold: true", "note: out"));
  int delivered = 0;
  engine->input("traces")->consume(traces(3, Ack::make(nullptr, [&](Outcome) { ++delivered; })));
  // Another type is no successor, so nobody takes over what it holds.
  ASSERT_TRUE(engine->reload(graph(chain("", "note: out", "", "copies"))));
  EXPECT_EQ(delivered, 1);
  EXPECT_EQ(journal, (Events{"start copies:@0", "stop step:a@0", "got 3 sink:out@0"}));
}

TEST_F(ReloadTest, AReceiverThatGoesOnIsAskedWhetherTheNewGraphSuitsIt) {
  const auto graph_of = [](std::string_view step) {
    return graph(chain(step, "blind: true", "opaque: true"));
  };
  auto engine = start(chain("blind: true", "blind: true", "opaque: true"));
  const auto refused = engine->reload(graph_of("note: looks"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "receivers::source: what follows looks inside");
  EXPECT_EQ(journal, Events{});
  EXPECT_TRUE(engine->reload(graph_of("blind: true, note: b")));
}

TEST_F(ReloadTest, WhatDoesNotStartLeavesEverythingAsItWas) {
  auto engine = start(chain("note: a"));
  Component* const step = engine->component("step");
  const auto report = engine->reload(graph(chain("note: b", "note: b", "note: b, broken: true")));
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().message.find("s.yaml:1: receivers::source: the port is taken"),
            std::string::npos)
      << report.error().message;
  EXPECT_EQ(journal, (Events{"start after sink:b@0", "start after step:b@0", "stop step:b@0",
                             "stop sink:b@0"}));
  EXPECT_EQ(engine->component("step"), step);
  give(engine->component("source"), 2);
  EXPECT_EQ(journal.back(), "got 2 sink:@0");
  // And it can still be reloaded.
  ASSERT_TRUE(engine->reload(graph(chain("note: c"))));
  give(engine->component("source"), 1);
  EXPECT_EQ(journal.back(), "got 1 sink:@0");
}

TEST_F(ReloadTest, AFatalStatusAtStartUndoesTheNewConfigurationAlone) {
  auto engine = start(chain("note: a"));
  const auto report = engine->reload(graph(chain("note: b, fatal: true")));
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().message, "processor/step@traces: it is broken");
  EXPECT_EQ(journal, (Events{"start after step:b@0", "stop step:b@0"}));
  give(engine->component("source"), 2);
  EXPECT_EQ(journal.back(), "got 2 sink:@0");
}

TEST_F(ReloadTest, AFatalStatusAtTheEndOfWhatWasRefusedEndsNothing) {
  auto engine = start(chain("note: a"));
  const auto report =
      engine->reload(graph(chain("note: b, fatal_end: true", "", "note: b, broken: true")));
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().message.find("the port is taken"), std::string::npos);
  EXPECT_EQ(journal.back(), "stop step:b@0");
  engine->request_stop();
  const auto ended = engine->run();
  EXPECT_TRUE(ended) << ended.error().message;
}

TEST_F(ReloadTest, WhatDoesNotLetGoIsWaitedForByADeadline) {
  auto engine = start(chain("", "note: a, hold: true, keep: true"));
  std::optional<Outcome::Kind> outcome;
  engine->input("traces")->consume(
      traces(3, Ack::make(nullptr, [&](const Outcome& o) { outcome = o.kind; })));
  const int64_t before = schedulers_[0].clock().monotonic_ns();
  // No successor: it has time to let go as if nothing had happened, and then is ended all the same.
  ASSERT_TRUE(engine->reload(
      graph("receivers: {source: }\nprocessors: {step: }\nexporters: {sink/other: }\nservice:\n"
            "  pipelines: {traces: {receivers: [source], processors: [step], exporters: "
            "[sink/other]}}\n")));
  const auto waited = Duration(schedulers_[0].clock().monotonic_ns() - before);
  EXPECT_GE(waited, std::chrono::seconds(9));
  EXPECT_LE(waited, std::chrono::seconds(11));
  EXPECT_EQ(outcome, Outcome::Failed);
}

TEST_F(ReloadTest, AnInvalidConfigurationLeavesEverythingAsItWas) {
  auto engine = start(chain("note: a"));
  const auto report = engine->reload(graph(chain("note: [b]")));
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().message.find("s.yaml:2"), std::string::npos) << report.error().message;
  EXPECT_EQ(journal, Events{});
  give(engine->component("source"), 2);
  EXPECT_EQ(journal.back(), "got 2 sink:@0");
}

TEST_F(ReloadTest, PipelinesComeAndGoAroundWhatStays) {
  const std::string one =
      "receivers: {source: }\nexporters: {sink/a: }\nservice:\n"
      "  pipelines: {traces/1: {receivers: [source], exporters: [sink/a]}}\n";
  const std::string two =
      "receivers: {source: }\nconnectors: {joint: }\nexporters: {sink/a: , sink/b: }\nservice:\n"
      "  pipelines:\n    traces/1: {receivers: [source], exporters: [sink/a, joint]}\n"
      "    traces/2: {receivers: [joint], exporters: [sink/b]}\n";
  auto engine = start(one);
  Component* const source = engine->component("source");
  ASSERT_TRUE(engine->reload(graph(two)));
  give(source, 2);
  EXPECT_EQ(journal,
            (Events{"start sink/b:@0", "start joint:@0", "got 2 sink/a:@0", "got 2 sink/b:@0"}));
  const auto board = std::static_pointer_cast<TopologyBoard>(lease(
      kTopologyBoard, typeid(TopologyBoard), [] { return std::make_shared<TopologyBoard>(); }));
  EXPECT_EQ(board->read()->components.size(), 4u);
  journal.clear();
  ASSERT_TRUE(engine->reload(graph(one)));
  EXPECT_EQ(board->read()->components.size(), 2u);
  give(source, 1);
  EXPECT_EQ(journal, (Events{"stop joint:@0", "stop sink/b:@0", "got 1 sink/a:@0"}));
}

TEST_F(ReloadTest, AReceiverOfMoreSignalsIsMadeAnewNotTurned) {
  static const ComponentType wide = [] {
    ComponentType out = type(Kind::Receiver, "wide");
    out.out = kTraces | kLogs;
    return out;
  }();
  static const ComponentType all = [] {
    ComponentType out = type(Kind::Exporter, "all");
    out.in = kTraces | kLogs;
    return out;
  }();
  const std::array<const ComponentType*, 2> list = {&wide, &all};
  const std::string head = "receivers: {wide: }\nexporters: {all: }\nservice:\n  pipelines:\n";
  const std::string first = "    traces: {receivers: [wide], exporters: [all]}\n";
  const std::string second = "    logs: {receivers: [wide], exporters: [all]}\n";
  auto engine = Engine::create(graph(head + first), list, {.schedulers = {&schedulers_[0]}});
  ASSERT_TRUE(engine);
  ASSERT_TRUE((*engine)->start());
  Component* const before = (*engine)->component("wide");
  const auto report = (*engine)->reload(graph(head + first + second));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->kept, 1u);
  EXPECT_NE((*engine)->component("wide"), before);
}

TEST_F(ReloadTest, AnExtensionThatAnotherNeedsStartsFirstAndStopsLast) {
  const std::string text =
      "receivers: {source: }\nexporters: {sink: }\n"
      "extensions: {helper/a: {needs: helper/b}, helper/b: {needs: helper/c}, helper/c: }\n"
      "service:\n  extensions: [helper/a, helper/b, helper/c]\n"
      "  pipelines: {traces: {receivers: [source], exporters: [sink]}}\n";
  auto engine = Engine::create(graph(text), types(), {.schedulers = {&schedulers_[0]}});
  ASSERT_TRUE(engine);
  ASSERT_TRUE((*engine)->start());
  (*engine)->stop();
  EXPECT_EQ(journal, (Events{"start helper/c:@0", "start helper/b:@0", "start helper/a:@0",
                             "start sink:@0", "start source:@0", "stop source:@0", "stop sink:@0",
                             "stop helper/a:@0", "stop helper/b:@0", "stop helper/c:@0"}));
}

TEST_F(ReloadTest, TheErrorIsThatOfTheExtensionThatWasNeeded) {
  const std::string text =
      "receivers: {source: }\nexporters: {sink: }\n"
      "extensions: {helper/a: {needs: helper/b}, helper/b: {broken: true}}\n"
      "service:\n  extensions: [helper/a, helper/b]\n"
      "  pipelines: {traces: {receivers: [source], exporters: [sink]}}\n";
  auto engine = Engine::create(graph(text), types(), {.schedulers = {&schedulers_[0]}});
  ASSERT_TRUE(engine);
  const auto started = (*engine)->start();
  ASSERT_FALSE(started);
  EXPECT_TRUE(started.error().message.starts_with("extensions::helper/b: the port is taken"))
      << started.error().message;
}

TEST_F(ReloadTest, ExtensionsThatNeedEachOtherAreRefused) {
  const std::string text =
      "receivers: {source: }\nexporters: {sink: }\n"
      "extensions: {helper/a: {needs: helper/b}, helper/b: {needs: helper/a}}\n"
      "service:\n  extensions: [helper/a, helper/b]\n"
      "  pipelines: {traces: {receivers: [source], exporters: [sink]}}\n";
  auto engine = Engine::create(graph(text), types(), {.schedulers = {&schedulers_[0]}});
  ASSERT_TRUE(engine);
  EXPECT_FALSE((*engine)->start());
  EXPECT_EQ(journal, Events{});
}

TEST_F(ReloadTest, WhoHoldsAnExtensionThatChangesIsMadeAnewToo) {
  const auto text = [](std::string_view note) {
    return "receivers: {source: }\nexporters: {sink: {needs: helper/a}}\n"
           "extensions: {helper/a: {needs: helper/b}, helper/b: {note: " +
           std::string(note) +
           "}, helper/c: }\n"
           "service:\n  extensions: [helper/a, helper/b, helper/c]\n"
           "  pipelines: {traces: {receivers: [source], exporters: [sink]}}\n";
  };
  auto engine = start(text("x"));
  const auto report = engine->reload(graph(text("y")));
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->kept, 2u);  // The receiver and helper/c.
  EXPECT_EQ(journal, (Events{"start after helper/b:y@0", "start after helper/a:@0",
                             "start after sink:@0", "take over helper/b:x helper/b:y@0",
                             "take over helper/a: helper/a:@0", "take over sink: sink:@0",
                             "stop sink:@0", "stop helper/a:@0", "stop helper/b:x@0"}));
}

}  // namespace
}  // namespace sonde::pipeline::noting
