// SPDX-License-Identifier: Apache-2.0
#include "pipeline/test_component.h"

const sonde::pipeline::ComponentType& sonde_component_connector_failover();

namespace sonde {
namespace {

using pipeline::TestComponent;
using std::chrono::seconds;

struct Level final : Sink {
  void consume(Batch batch) override {
    ++tried;
    if (holds) {
      held.push_back(std::move(batch.ack));
    } else if (good) {
      batch.ack.deliver();
    } else {
      batch.ack.fail({ErrorKind::Unavailable, "down", {}}, rejected);
    }
  }
  void fail_held() {
    for (Ack& ack : held) ack.fail({ErrorKind::Unavailable, "down", {}});
    held.clear();
  }
  bool good = true;
  bool holds = false;  // Keeps what comes under way.
  std::vector<Ack> held;
  int tried = 0;
  uint64_t rejected = 0;  // where it is not good: so many records alone
};

class Failover : public testing::Test {
 protected:
  void make(std::string_view settings) {
    pipeline::Outputs outputs;
    for (int i = 0; i < 3; ++i)
      outputs.pipelines.push_back({"logs/" + std::to_string(i), Signal::Logs, &levels[i]});
    auto made = TestComponent::make(
        sonde_component_connector_failover(),
        "{priority_levels: [[logs/0], [logs/1], [logs/2]], " + std::string(settings) + "}",
        outputs);
    ASSERT_TRUE(made) << made.error().message;
    failover = std::move(*made);
    ASSERT_TRUE(failover->start(host));
  }
  Outcome::Kind send() {
    std::optional<Outcome::Kind> kind;
    failover->consume(
        Batch(Signal::Logs, {}, Ack::make(nullptr, [&](const Outcome& o) { kind = o.kind; })));
    host.scheduler().run_ready();
    EXPECT_TRUE(kind);
    return kind.value_or(Outcome::Failed);
  }
  // Which levels were tried since it was last asked.
  std::string tried() {
    std::string out;
    for (Level& level : levels) out += std::to_string(std::exchange(level.tried, 0));
    return out;
  }

  pipeline::TestHost host;
  Level levels[3];
  std::unique_ptr<pipeline::Component> failover;
};

TEST_F(Failover, TriesTheNextWithTheSameBatchAndStaysThere) {
  make("retry_interval: 60s, retry_gap: 10s");
  EXPECT_EQ(send(), Outcome::Delivered);
  EXPECT_EQ(tried(), "100");
  levels[0].good = levels[1].good = false;
  EXPECT_EQ(send(), Outcome::Delivered);
  EXPECT_EQ(tried(), "111");
  EXPECT_EQ(send(), Outcome::Delivered);
  EXPECT_EQ(tried(), "001");
}

TEST_F(Failover, ProbesBetterLevelsOneAfterTheOther) {
  make("retry_interval: 60s, retry_gap: 10s");
  levels[0].good = levels[1].good = false;
  send();
  tried();
  host.scheduler().advance(seconds(60));
  EXPECT_EQ(send(), Outcome::Delivered);
  EXPECT_EQ(tried(), "101");
  EXPECT_EQ(send(), Outcome::Delivered);
  EXPECT_EQ(tried(), "001");
  levels[1].good = true;
  host.scheduler().advance(seconds(10));
  EXPECT_EQ(send(), Outcome::Delivered);
  EXPECT_EQ(tried(), "010");
  EXPECT_EQ(send(), Outcome::Delivered);
  EXPECT_EQ(tried(), "010");
  levels[0].good = true;
  host.scheduler().advance(seconds(70));
  EXPECT_EQ(send(), Outcome::Delivered);
  EXPECT_EQ(tried(), "100");
}

TEST_F(Failover, RefusesWhenEveryLevelFailedUntilOneTakesItsProbe) {
  make("retry_interval: 60s, retry_gap: 10s, max_retries: 2");
  for (Level& level : levels) level.good = false;
  EXPECT_EQ(send(), Outcome::Failed);
  EXPECT_EQ(tried(), "111");
  EXPECT_EQ(send(), Outcome::Failed);
  EXPECT_EQ(tried(), "000");
  levels[0].good = true;
  host.scheduler().advance(seconds(60));
  EXPECT_EQ(send(), Outcome::Delivered);
  EXPECT_EQ(tried(), "100");
}

TEST_F(Failover, GivesALevelUpAfterSoManyProbes) {
  make("retry_interval: 60s, retry_gap: 10s, max_retries: 2");
  levels[0].good = false;
  send();
  tried();
  int probed = 0;
  for (int i = 0; i < 20; ++i) {
    host.scheduler().advance(seconds(60));
    send();
    probed += levels[0].tried;
    tried();
  }
  EXPECT_EQ(probed, 2);
}

TEST_F(Failover, CountsProbesAloneNotWhatWasUnderWayWhenALevelFailed) {
  make("retry_interval: 60s, retry_gap: 10s, max_retries: 2");
  levels[0].holds = true;
  int delivered = 0;
  for (int i = 0; i < 5; ++i) {
    failover->consume(Batch(Signal::Logs, {}, Ack::make(nullptr, [&](const Outcome& o) {
                              delivered += o.kind == Outcome::Delivered;
                            })));
  }
  levels[0].holds = false;
  levels[0].fail_held();
  host.scheduler().run_ready();
  EXPECT_EQ(delivered, 5);
  EXPECT_EQ(tried(), "550");
  host.scheduler().advance(seconds(60));
  EXPECT_EQ(send(), Outcome::Delivered);
  EXPECT_EQ(tried(), "100");
}

TEST_F(Failover, DoesNotRepeatElsewhereWhatALevelTookInPart) {
  make("retry_interval: 60s, retry_gap: 10s");
  levels[0].good = false;
  levels[0].rejected = 2;
  EXPECT_EQ(send(), Outcome::Failed);
  EXPECT_EQ(tried(), "100");
  EXPECT_EQ(send(), Outcome::Failed);
  EXPECT_EQ(tried(), "100");
}

TEST_F(Failover, GoesOnProbingWhenNoLevelIsLeft) {
  make("retry_interval: 60s, retry_gap: 10s, max_retries: 1");
  for (Level& level : levels) level.good = false;
  for (int i = 0; i < 20; ++i) {
    send();
    host.scheduler().advance(seconds(60));
  }
  tried();
  levels[2].good = true;
  Outcome::Kind last = Outcome::Failed;
  for (int i = 0; i < 20 && last == Outcome::Failed; ++i) {
    host.scheduler().advance(seconds(10));
    last = send();
  }
  EXPECT_EQ(last, Outcome::Delivered);
}

TEST_F(Failover, SaysWhichPipelineIsNotThere) {
  auto made =
      TestComponent::make(sonde_component_connector_failover(), "priority_levels: [[logs/9]]", {});
  ASSERT_TRUE(made);
  auto started = (*made)->start(host);
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().message.find("priority_levels::0: no pipeline logs/9"),
            std::string::npos);
  EXPECT_FALSE(TestComponent::make(sonde_component_connector_failover(), "{}", {}));
}

}  // namespace
}  // namespace sonde
