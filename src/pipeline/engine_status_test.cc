// SPDX-License-Identifier: Apache-2.0
// What the engine says of how components fare, and what it does when one of them cannot go on.
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

#include "base/virtual_scheduler.h"
#include "pipeline/engine.h"
#include "pipeline/lease.h"
#include "pipeline/testing/graph.h"

namespace sonde::pipeline {
namespace {

struct Config {
  std::string at_start;
};
constexpr auto kFields = config::fields<Config>(
    config::field("at_start", &Config::at_start, "What happens: refuse, troubled or nothing."));

class Actor final : public Component {
 public:
  Actor(Config config, std::string_view, Outputs) : config_(std::move(config)) {}
  Result<> start(Host& host) override {
    host_ = &host;
    if (config_.at_start == "refuse") return fail(ErrorKind::Unavailable, "no such port");
    if (config_.at_start == "troubled") report(Status::recoverable(away()));
    return {};
  }
  void stop() override { seen_at_stop = board()->read("exporter/actor")->status.kind; }
  void report(Status status) { host_->report_status(std::move(status)); }
  static Error away() { return {ErrorKind::Unavailable, "the peer is away", {}}; }
  static std::shared_ptr<StatusBoard> board() {
    return std::static_pointer_cast<StatusBoard>(
        lease(kStatusBoard, typeid(StatusBoard), [] { return std::make_shared<StatusBoard>(); }));
  }

  static StatusKind seen_at_stop;

 private:
  Config config_;
  Host* host_ = nullptr;
};
StatusKind Actor::seen_at_stop = StatusKind::None;

class EngineStatusTest : public testing::Test {
 protected:
  std::unique_ptr<Engine> make(std::string_view at_start, bool threads = false) {
    static const ComponentType source = make_type<Actor, Config>(
        {.kind = Kind::Receiver, .name = "actor", .out = kTraces}, kFields.table());
    static const ComponentType sink = make_type<Actor, Config>(
        {.kind = Kind::Exporter, .name = "actor", .in = kTraces}, kFields.table());
    static const std::array<const ComponentType*, 2> types = {&source, &sink};
    const auto actors =
        graph("receivers: {actor: }\nexporters: {actor: {at_start: " + std::string(at_start) +
              "}}\nservice:\n  telemetry: {metrics: {level: none}}\n"
              "  pipelines: {traces: {receivers: [actor], exporters: [actor]}}\n");
    EngineOptions options;
    if (!threads) options.schedulers.push_back(&scheduler_);
    options.wait = [](Duration) {};
    auto engine = Engine::create(actors, types, options);
    EXPECT_TRUE(engine) << engine.error().message;
    return std::move(*engine);
  }
  Status of(std::string_view key) {
    const auto found = board_->read(key);
    return found ? found->status : Status{};
  }
  VirtualScheduler scheduler_;
  std::shared_ptr<StatusBoard> board_ = Actor::board();
};

TEST_F(EngineStatusTest, SaysOkStoppingAndStopped) {
  auto engine = make("nothing");
  EXPECT_TRUE(board_->read().empty());
  EXPECT_FALSE(board_->ready_since());
  ASSERT_TRUE(engine->start());
  EXPECT_EQ(board_->ready_since(), scheduler_.clock().unix_ns());
  EXPECT_EQ(of("receiver/actor").kind, StatusKind::Ok);
  EXPECT_EQ(of("exporter/actor").kind, StatusKind::Ok);
  engine->stop();
  EXPECT_FALSE(board_->ready_since());
  EXPECT_EQ(Actor::seen_at_stop, StatusKind::Stopping);
  EXPECT_EQ(of("exporter/actor").kind, StatusKind::Stopped);
  engine.reset();
  EXPECT_TRUE(board_->read().empty());
}

TEST_F(EngineStatusTest, LeavesWhatAComponentSaidAtItsStart) {
  auto engine = make("troubled");
  ASSERT_TRUE(engine->start());
  EXPECT_EQ(of("exporter/actor").kind, StatusKind::RecoverableError);
  EXPECT_EQ(of("exporter/actor").error, "the peer is away");
  static_cast<Actor*>(engine->component("actor"))->report(Status::ok());
  EXPECT_EQ(of("exporter/actor").kind, StatusKind::Ok);
}

TEST_F(EngineStatusTest, SaysThatWhatDidNotStartIsBrokenForGood) {
  auto engine = make("refuse");
  ASSERT_FALSE(engine->start());
  EXPECT_FALSE(board_->ready_since());
  EXPECT_EQ(of("exporter/actor").kind, StatusKind::PermanentError);
  EXPECT_EQ(of("exporter/actor").error, "no such port");
}

TEST_F(EngineStatusTest, EndsWithTheFirstFatalErrorThatAComponentReports) {
  auto engine = make("nothing", true);
  ASSERT_TRUE(engine->start());
  auto* actor = static_cast<Actor*>(engine->component("actor"));
  // On its own shard, as every component does.
  engine->scheduler(0).post([&] {
    actor->report(Status::fatal({ErrorKind::Internal, "the probe is gone", {}}));
    actor->report(Status::fatal({ErrorKind::Internal, "another", {}}));
  });
  const auto ended = engine->run();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().message, "exporter/actor: the probe is gone");
}

TEST_F(EngineStatusTest, EndsWellWhenItIsAskedTo) {
  auto engine = make("nothing", true);
  ASSERT_TRUE(engine->start());
  engine->request_stop();
  EXPECT_TRUE(engine->run());
}

TEST_F(EngineStatusTest, EndsWellAtASignalThatComesBeforeItRuns) {
  for (const int number : {SIGINT, SIGTERM}) {
    auto engine = make("nothing", true);
    ASSERT_TRUE(engine->start());
    ASSERT_EQ(kill(getpid(), number), 0);
    EXPECT_TRUE(engine->run());
  }
}

}  // namespace
}  // namespace sonde::pipeline
