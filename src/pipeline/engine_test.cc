// SPDX-License-Identifier: Apache-2.0
#include "pipeline/engine.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <set>

#include "base/counters.h"
#include "base/virtual_scheduler.h"
#include "data/span_writer.h"
#include "data/trace_view.h"
#include "net/http/http_client.h"
#include "net/loop.h"
#include "net/testing/call_and_wait.h"
#include "pipeline/introspection/output_meter.h"
#include "pipeline/introspection/topology.h"
#include "pipeline/lease.h"
#include "pipeline/split_records.h"
#include "pipeline/testing/graph.h"
#include "pipeline/testing/spans.h"

namespace sonde::pipeline {
namespace {

struct Config {
  int64_t hold = 0;
};
constexpr auto kFields =
    config::fields<Config>(config::field("hold", &Config::hold, "Batches to hold back."));

// What happened, by all instances: "start debug@0", and which shard saw which trace.
struct Journal {
  std::mutex mutex;
  std::vector<std::string> events;
  std::map<std::string, std::set<int>> shards_of_trace;
  std::map<int, int> batches_on_shard;
  void add(std::string event) {
    const std::lock_guard lock(mutex);
    events.push_back(std::move(event));
  }
};
Journal* journal = nullptr;

class Probe final : public Component {
 public:
  Probe(Config config, std::string_view id, Outputs outputs)
      : config_(config), id_(id), outputs_(outputs) {}

  Result<> start(Host& host) override {
    host_ = &host;
    journal->add("start " + id_ + "@" + std::to_string(host.shard()));
    if (id_ == "sink/broken") return fail(ErrorKind::Unavailable, "no such port");
    return {};
  }
  void stop() override {
    journal->add("stop " + id_ + "@" + std::to_string(host_->shard()));
    for (Batch& batch : held_) pass(std::move(batch));
    held_.clear();
  }
  void consume(Batch batch) override {
    {
      const std::lock_guard lock(journal->mutex);
      ++journal->batches_on_shard[host_->shard()];
      (void)for_each_span(batch, [&](const auto&, const auto&, const SpanView& span) {
        journal->shards_of_trace[std::string(span.trace_id)].insert(host_->shard());
      });
    }
    if (static_cast<int64_t>(held_.size()) < config_.hold) {
      held_.push_back(std::move(batch));
    } else {
      pass(std::move(batch));
    }
  }

 private:
  void pass(Batch batch) {
    if (outputs_.of(batch.signal)) {
      outputs_.send(std::move(batch));
    } else {
      journal->add("got " + std::to_string(count_records(batch)) + " " + id_ + "@" +
                   std::to_string(host_->shard()));
      batch.ack.deliver();
    }
  }

  Config config_;
  std::string id_;
  Outputs outputs_;
  Host* host_ = nullptr;
  std::vector<Batch> held_;
};

ComponentType type(Kind kind, std::string_view name, Placement placement = Placement::Pinned) {
  return make_type<Probe, Config>({.kind = kind,
                                   .name = name,
                                   .aliases = {"old_name"},
                                   .in = kTraces,
                                   .out = kind == Kind::Exporter ? kNoSignals : kTraces,
                                   .placement = placement},
                                  kFields.table());
}

std::span<const ComponentType* const> types() {
  static const ComponentType source = type(Kind::Receiver, "source");
  static const ComponentType sources = type(Kind::Receiver, "sources", Placement::Replicated);
  static const ComponentType step = type(Kind::Processor, "step");
  static const ComponentType copies = type(Kind::Processor, "copies", Placement::Replicated);
  static const ComponentType parts = type(Kind::Processor, "parts", Placement::Partitioned);
  static const ComponentType sink = type(Kind::Exporter, "sink");
  static const ComponentType joint = type(Kind::Connector, "joint");
  static const std::array<const ComponentType*, 7> kAll = {&source, &sources, &step, &copies,
                                                           &parts,  &sink,    &joint};
  return kAll;
}

std::string simple(std::string_view processor, std::string_view exporter = "sink") {
  return "receivers: {source: }\nprocessors: {" + std::string(processor) + ": }\nexporters: {" +
         std::string(exporter) + ": }\nservice:\n  telemetry: {metrics: {level: none}}\n" +
         "  pipelines:\n    traces: {receivers: [source], processors: [" + std::string(processor) +
         "], exporters: [" + std::string(exporter) + "]}\n";
}

class EngineTest : public testing::Test {
 protected:
  EngineTest() {
    Ack::abort_on_lost(true);
    journal = &journal_;
  }
  std::unique_ptr<Engine> make(std::string_view text, int shards = 1) {
    EngineOptions options;
    options.shards = shards;
    for (int i = 0; i < shards; ++i) options.schedulers.push_back(&schedulers_[i]);
    options.wait = [this](Duration d) { schedulers_[0].advance(d); };
    auto engine = Engine::create(graph(text), types(), options);
    EXPECT_TRUE(engine) << engine.error().message;
    return engine ? std::move(*engine) : nullptr;
  }
  std::string create_error(std::string_view text) {
    auto engine = Engine::create(graph(text), types(), {});
    return engine ? "" : engine.error().message;
  }
  void settle() {
    for (int i = 0; i < 10; ++i) {
      for (auto& scheduler : schedulers_) scheduler.run_ready();
    }
  }

  Journal journal_;
  VirtualScheduler schedulers_[2];
};

TEST_F(EngineTest, StartsExportersFirstAndStopsReceiversFirst) {
  auto engine = make(simple("step"));
  ASSERT_TRUE(engine->start());
  engine->stop();
  EXPECT_EQ(journal_.events,
            (std::vector<std::string>{"start sink@0", "start step@0", "start source@0",
                                      "stop source@0", "stop step@0", "stop sink@0"}));
}

TEST_F(EngineTest, StoppingPassesOnWhatAProcessorHolds) {
  auto engine = make(
      "receivers: {source: }\nprocessors: {step: {hold: 5}}\nexporters: {sink: }\n"
      "service:\n  pipelines:\n    traces: {receivers: [source], processors: [step], exporters: "
      "[sink]}\n");
  ASSERT_TRUE(engine->start());
  int delivered = 0;
  engine->input("traces")->consume(traces(3, Ack::make(nullptr, [&](Outcome) { ++delivered; })));
  EXPECT_EQ(delivered, 0);
  engine->stop();
  EXPECT_EQ(delivered, 1);
}

TEST_F(EngineTest, CountsWhatEachComponentGivesAndPublishesItsGraph) {
  auto engine = make(
      "receivers: {source: }\nprocessors: {step/metered: }\nexporters: {sink/a: , sink/b: }\n"
      "service:\n  pipelines:\n    traces: {receivers: [source], processors: [step/metered], "
      "exporters: [sink/a, sink/b]}\n");
  ASSERT_TRUE(engine->start());
  const auto taps = std::static_pointer_cast<TapBoard>(
      lease(kTapBoard, typeid(TapBoard), [] { return std::make_shared<TapBoard>(); }));
  const auto watch = taps->watch("processor/step/metered@traces", Signal::Traces, "traces");
  ASSERT_TRUE(watch);
  engine->input("traces")->consume(traces(3));
  EXPECT_EQ(watch->take()->items, 3u);
  for (const std::string_view way : {"incoming", "outgoing"}) {
    EXPECT_EQ(processor_items("otelcol_processor_" + std::string(way) + "_items", "step/metered",
                              Signal::Traces)
                  .value(),
              3u);
  }
  // Before the fan-out: two exporters do not make six of three.
  EXPECT_EQ(counter(kOutputItems, "",
                    {{"component", "processor/step/metered@traces"}, {"signal", "traces"}})
                .value(),
            3u);
  auto board = std::static_pointer_cast<TopologyBoard>(lease(
      kTopologyBoard, typeid(TopologyBoard), [] { return std::make_shared<TopologyBoard>(); }));
  EXPECT_EQ(board->read()->edges.size(), 3u);
}

TEST_F(EngineTest, FansOutWithOneAcknowledgement) {
  auto engine = make(
      "receivers: {source: }\nexporters: {sink/a: , sink/b: }\n"
      "service:\n  pipelines:\n    traces: {receivers: [source], exporters: [sink/a, sink/b]}\n");
  ASSERT_TRUE(engine->start());
  int delivered = 0;
  engine->input("traces")->consume(traces(3, Ack::make(nullptr, [&](Outcome) { ++delivered; })));
  EXPECT_EQ(delivered, 1);
  EXPECT_EQ(journal_.events.back(), "got 3 sink/b@0");
}

TEST_F(EngineTest, ConnectorsJoinPipelines) {
  auto engine = make(
      "receivers: {source: }\nconnectors: {joint: }\nexporters: {sink: }\n"
      "service:\n  pipelines:\n    traces/1: {receivers: [source], exporters: [joint]}\n"
      "    traces/2: {receivers: [joint], exporters: [sink]}\n");
  ASSERT_TRUE(engine->start());
  engine->input("traces/1")->consume(traces(2));
  EXPECT_EQ(journal_.events.back(), "got 2 sink@0");
}

TEST_F(EngineTest, RefusesAConnectorThatFeedsItself) {
  EXPECT_NE(create_error("receivers: {source: }\nconnectors: {joint: }\nexporters: {sink: }\n"
                         "service:\n  pipelines:\n    traces/1: {receivers: [source, joint], "
                         "exporters: [joint]}\n")
                .find("circle: connector \"joint\" (traces to traces) -> connector \"joint\""),
            std::string::npos);
}

TEST_F(EngineTest, NamesTheNearestComponent) {
  EXPECT_TRUE(create_error(simple("stepp"))
                  .starts_with("s.yaml:2: processors: unknown processor \"stepp\"; did you mean "
                               "\"step\"?; there are copies, parts, step\n"));
  EXPECT_EQ(create_error(simple("old_name")), "");
}

TEST_F(EngineTest, RefusesASignalThatAComponentDoesNotTake) {
  const std::string error = create_error(
      "receivers: {source: }\nexporters: {sink: }\nservice:\n  pipelines:\n"
      "    metrics: {receivers: [source], exporters: [sink]}\n");
  EXPECT_TRUE(error.starts_with(
      "s.yaml:5: service::pipelines::metrics: receiver \"source\" does not give metrics; it gives "
      "traces\n"))
      << error;
  EXPECT_NE(error.find("exporter \"sink\" does not take metrics"), std::string::npos) << error;
}

TEST_F(EngineTest, StopsWhatItStartedWhenAComponentDoesNotStart) {
  auto engine = make(
      "receivers: {source: }\nexporters: {sink/a: , sink/broken: }\n"
      "service:\n  pipelines:\n    traces: {receivers: [source], exporters: [sink/a, "
      "sink/broken]}\n");
  const auto result = engine->start();
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("exporters::sink/broken"), std::string::npos);
  EXPECT_EQ(journal_.events.back(), "stop sink/a@0");
}

TEST_F(EngineTest, PinnedComponentsStayOnTheFirstShard) {
  std::string text = simple("copies");
  auto engine = make(text, 2);
  ASSERT_TRUE(engine->start());
  const auto starts = std::ranges::count(journal_.events, "start sink@0");
  EXPECT_EQ(starts, 1);
  EXPECT_EQ(std::ranges::count(journal_.events, "start copies@0"), 1);
  EXPECT_EQ(std::ranges::count(journal_.events, "start copies@1"), 1);
  EXPECT_EQ(std::ranges::count(journal_.events, "start sink@1"), 0);
}

TEST_F(EngineTest, ReplicatedReceiversCrossToThePinnedExporter) {
  auto engine = make(
      "receivers: {sources: }\nprocessors: {copies: }\nexporters: {sink: }\n"
      "service:\n  pipelines:\n    traces: {receivers: [sources], processors: [copies], "
      "exporters: [sink]}\n",
      2);
  ASSERT_TRUE(engine->start());
  Component* receiver = engine->component("sources", 1);
  ASSERT_TRUE(receiver);
  std::optional<Outcome::Kind> outcome;
  receiver->consume(traces(2, Ack::make(&schedulers_[1], [&](Outcome o) { outcome = o.kind; })));
  EXPECT_EQ(journal_.batches_on_shard[1], 2);  // The receiver and the copy of the processor.
  EXPECT_EQ(journal_.batches_on_shard[0], 0);
  schedulers_[0].run_ready();
  EXPECT_EQ(journal_.events.back(), "got 2 sink@0");
  EXPECT_FALSE(outcome);  // It is posted to the shard it came from.
  schedulers_[1].run_ready();
  EXPECT_EQ(outcome, Outcome::Delivered);
}

TEST_F(EngineTest, PartitionedComponentsSeeATraceOnOneShard) {
  auto engine = make(simple("parts"), 2);
  ASSERT_TRUE(engine->start());
  int delivered = 0;
  engine->input("traces")->consume(
      traces(40, Ack::make(&schedulers_[0], [&](Outcome) { ++delivered; })));
  settle();
  EXPECT_EQ(delivered, 1);
  std::set<int> first_seen;
  for (const auto& [trace, shards] : journal_.shards_of_trace) {
    // The exporter is pinned to shard 0, so only shard 1 says where the processor saw it.
    first_seen.insert(shards.contains(1) ? 1 : 0);
  }
  EXPECT_EQ(first_seen, (std::set<int>{0, 1}));
  EXPECT_EQ(journal_.shards_of_trace.size(), 20u);
}

// Real threads: a replicated receiver on each shard is stood in for by posting from outside.
TEST_F(EngineTest, ServesOwnMetricsAndStopsWithThreads) {
  std::string text = simple("parts");
  text.replace(text.find("level: none"), 11, "address: \"127.0.0.1:0\"");
  EngineOptions options;
  options.shards = 2;
  auto engine = Engine::create(graph(text), types(), options);
  ASSERT_TRUE(engine) << engine.error().message;
  const auto started = (*engine)->start();
  ASSERT_TRUE(started) << started.error().message;
  counter("sonde_engine_test_total", "For the test.").add(7);

  net::Loop loop;
  net::HttpClientOptions client_options;
  client_options.base_url = "http://127.0.0.1:" + std::to_string((*engine)->telemetry_port());
  std::string body;
  {
    net::HttpClient client(loop, client_options);
    if (const auto response = net::request_and_wait(loop, client, "GET", "/metrics")) {
      body = response->body;
    }
  }
  EXPECT_NE(body.find("sonde_engine_test_total 7"), std::string::npos) << body;
  EXPECT_NE(body.find("\notelcol_process_memory_rss "), std::string::npos) << body;

  std::promise<void> settled;
  (*engine)->input("traces")->consume(
      traces(40, Ack::make(nullptr, [&](Outcome) { settled.set_value(); })));
  EXPECT_EQ(settled.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
  (*engine)->stop();
  EXPECT_EQ(journal_.shards_of_trace.size(), 20u);
}

TEST_F(EngineTest, TellsWhenToComeBackWhereTheQueueBetweenShardsIsFull) {
  EngineOptions options;
  options.shards = 2;
  options.door_bytes = 1;
  options.schedulers = {&schedulers_[0], &schedulers_[1]};
  auto engine = Engine::create(graph(simple("parts")), types(), options);
  ASSERT_TRUE(engine && (*engine)->start());
  Outcome outcome;
  (*engine)->input("traces")->consume(
      traces(40, Ack::make(nullptr, [&](Outcome ended) { outcome = std::move(ended); })));
  settle();
  EXPECT_EQ(outcome.kind, Outcome::Failed);
  EXPECT_EQ(outcome.error.kind, ErrorKind::Exhausted);
  EXPECT_GT(outcome.error.retry_after, Duration{}) << "senders take it for good without";
}

TEST(SplitRecords, CopiesTheBytesOfEachPartVerbatim) {
  TraceBatchBuilder builder;
  builder.resource({{"service.name", "cart"}}).scope("s", "1");
  for (const std::string_view name : {"a", "b", "c"}) {
    builder.span({.trace_id = "0123456789abcdef", .span_id = "01234567", .name = name});
  }
  const Batch batch = builder.build();
  uint32_t next = 0;
  auto parts = split_records(batch.chunks[0], 2, [&](auto, auto) { return next++ % 2; });
  EXPECT_EQ(count_records(Signal::Traces, parts[0].view()), 2u);
  EXPECT_EQ(count_records(Signal::Traces, parts[1].view()), 1u);
  auto same = split_records(batch.chunks[0], 2, [](auto, auto) { return 1u; });
  EXPECT_TRUE(same[0].empty());
  EXPECT_EQ(same[1].data(), batch.chunks[0].data());
  auto none = split_records(batch.chunks[0], 1, [](auto, auto) { return kDropRecord; });
  EXPECT_TRUE(none[0].empty());
}

}  // namespace
}  // namespace sonde::pipeline
