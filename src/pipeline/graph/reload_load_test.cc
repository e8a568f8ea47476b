// SPDX-License-Identifier: Apache-2.0
// The configuration is read again while data flows, and by whom.
#include <charconv>
#include <future>
#include <thread>

#include "base/counters.h"
#include "pipeline/lease.h"
#include "pipeline/testing/noting_component.h"

namespace sonde::pipeline::noting {
namespace {

// Of "got 3 sink:@0".
int count_in(std::string_view event) {
  int count = 0;
  std::from_chars(event.data() + 4, event.data() + event.size(), count);
  return count;
}

// Every item that is given before, during and after arrives once, with each placement.
class ReloadPlacementTest : public ReloadTest, public testing::WithParamInterface<const char*> {};

TEST_P(ReloadPlacementTest, NothingIsLostBetweenTwoShards) {
  const auto text = [&](std::string_view note) {
    return "receivers: {sources: }\nprocessors: {" + std::string(GetParam()) + ": {note: \"" +
           std::string(note) +
           "\"}}\nexporters: {sink: }\nservice:\n  pipelines:\n    traces: {receivers: [sources], "
           "processors: [" +
           GetParam() + "], exporters: [sink]}\n";
  };
  auto engine = start(text("0"), 2);
  Component* const receivers[] = {engine->component("sources", 0), engine->component("sources", 1)};
  int delivered = 0;
  for (int round = 1; round <= 20; ++round) {
    for (int shard : {0, 1}) {
      receivers[shard]->consume(
          traces(10, Ack::make(&schedulers_[shard], [&](const Outcome& outcome) {
                   delivered += outcome.kind == Outcome::Delivered ? 10 : 0;
                 })));
    }
    // What is on its way between the shards is given to the instances of before.
    const auto report = engine->reload(graph(text(std::to_string(round))));
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(engine->component("sources", 0), receivers[0]);
    EXPECT_EQ(engine->component("sources", 1), receivers[1]);
  }
  settle();
  EXPECT_EQ(delivered, 400);
  int got = 0;
  for (const std::string& event : journal) {
    if (event.starts_with("got ")) got += count_in(event);
  }
  EXPECT_EQ(got, 400);
}

INSTANTIATE_TEST_SUITE_P(All, ReloadPlacementTest, testing::Values("step", "copies", "parts"));

// With threads: receivers are fed on their own shards, without a pause, while it is reloaded.
TEST_F(ReloadTest, NothingIsLostUnderLoadWithThreads) {
  const auto text = [](int note) {
    const std::string n = std::to_string(note);
    return "receivers: {sources: }\nprocessors: {parts: {note: p" + n + "}, copies: {note: c" + n +
           "}}\nexporters: {sink/a: {note: s" + n + "}, sink/b: }\nservice:\n" +
           "  telemetry: {metrics: {level: none}}\n  pipelines:\n    traces: {receivers: "
           "[sources]" +
           ", processors: [parts, copies], exporters: [sink/a, sink/b]}\n";
  };
  EngineOptions options;
  options.shards = 2;
  auto engine = Engine::create(graph(text(0)), types(), options);
  ASSERT_TRUE(engine) << engine.error().message;
  ASSERT_TRUE((*engine)->start());
  std::atomic<bool> stop = false;
  std::atomic<int> sent = 0, delivered = 0, failed = 0;
  std::vector<std::jthread> senders;
  for (int shard : {0, 1}) {
    senders.emplace_back([&, receiver = (*engine)->component("sources", shard),
                          scheduler = &(*engine)->scheduler(shard)] {
      while (!stop) {
        std::promise<void> given;
        scheduler->post([&] {
          receiver->consume(traces(7, Ack::make(nullptr, [&](const Outcome& outcome) {
                                     (outcome.kind == Outcome::Delivered ? delivered : failed) += 7;
                                   })));
          given.set_value();
        });
        given.get_future().wait();
        sent += 7;
      }
    });
  }
  for (int round = 1; round <= 50; ++round) {
    const auto report = (*engine)->reload(graph(text(round)));
    ASSERT_TRUE(report) << report.error().message;
  }
  stop = true;
  senders.clear();
  (*engine)->stop();
  EXPECT_GT(sent, 0);
  EXPECT_EQ(delivered, sent);
  EXPECT_EQ(failed, 0);
}

TEST_F(ReloadTest, OwnMetricsMoveToAnotherAddressOrStayWhereTheyAre) {
  const auto text = [](std::string_view address, std::string_view note) {
    std::string out = chain("note: " + std::string(note));
    return out.replace(out.find("level: none"), 11, "address: \"" + std::string(address) + "\"");
  };
  auto engine = Engine::create(graph(text("127.0.0.1:0", "a")), types(), {});
  ASSERT_TRUE(engine);
  ASSERT_TRUE((*engine)->start());
  const uint16_t port = (*engine)->telemetry_port();
  ASSERT_TRUE((*engine)->reload(graph(text("127.0.0.1:0", "b"))));
  EXPECT_EQ((*engine)->telemetry_port(), port);
  const std::string taken = "127.0.0.1:" + std::to_string(port);
  EXPECT_FALSE((*engine)->reload(graph(text(taken, "b"))));  // By this very process.
  EXPECT_EQ((*engine)->telemetry_port(), port);
  ASSERT_TRUE((*engine)->reload(graph(text("localhost:0", "b"))));
  EXPECT_NE((*engine)->telemetry_port(), port);
  EXPECT_NE((*engine)->telemetry_port(), 0);
}

TEST_F(ReloadTest, RequestsAreAnsweredWhileItRuns) {
  EngineOptions options;
  auto engine = Engine::create(graph(chain("note: a")), types(), options);
  ASSERT_TRUE(engine);
  ASSERT_TRUE((*engine)->start());
  const auto reloader = std::static_pointer_cast<Reloader>(
      lease(kReloader, typeid(Reloader), [] { return std::make_shared<Reloader>(); }));
  const auto ask = [&] {
    std::promise<Result<ReloadReport>> answer;
    reloader->request({"test", [&](const Result<ReloadReport>& r) { answer.set_value(r); }});
    return answer.get_future().get();
  };
  EXPECT_FALSE(ask());  // It does not run yet.
  std::atomic<bool> good = true;
  std::jthread control([&] {
    EXPECT_TRUE((*engine)->run({.load = [&]() -> Result<config::Graph> {
      if (!good) return fail(ErrorKind::Invalid, "s.yaml:1: it is bad");
      return graph(chain("note: b"));
    }}));
  });
  Result<ReloadReport> first = ask();
  while (!first && first.error().kind == ErrorKind::Unavailable) first = ask();
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->started, 1u);
  good = false;
  const uint64_t refused = counter("sonde_reloads_total", "", {{"result", "refused"}}).value();
  const auto second = ask();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message, "s.yaml:1: it is bad");
  EXPECT_EQ(counter("sonde_reloads_total", "", {{"result", "refused"}}).value(), refused + 1);
  (*engine)->request_stop();
  control.join();
  EXPECT_FALSE(ask());
}

}  // namespace
}  // namespace sonde::pipeline::noting
