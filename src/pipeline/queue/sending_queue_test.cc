// SPDX-License-Identifier: Apache-2.0
#include "pipeline/queue/sending_queue.h"

#include <gtest/gtest.h>

#include "base/counters.h"
#include "base/virtual_scheduler.h"
#include "pipeline/introspection/own_telemetry.h"
#include "pipeline/test_host.h"
#include "pipeline/testing/spans.h"

namespace sonde::pipeline {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class SendingQueueTest : public testing::Test {
 protected:
  SendingQueueTest() {
    Ack::abort_on_lost(true);
    settings.retry.randomization_factor = 0;
  }

  // Each test has an id of its own, since counters are process-wide.
  std::string id() const { return testing::UnitTest::GetInstance()->current_test_info()->name(); }
  SendingQueue make() {
    return {scheduler, id(), settings, [this](const Batch&, SendDone done) {
              ++attempts;
              if (hold) {
                held.push_back(std::move(done));
              } else {
                done(answer);
              }
            }};
  }
  uint64_t sent() {
    return exporter_counter("otelcol_exporter_sent_", Signal::Traces, id()).value();
  }
  uint64_t dropped(std::string_view reason) {
    return dropped_counter(id(), Signal::Traces, reason).value();
  }

  VirtualScheduler scheduler;
  SendingSettings settings;
  Result<Sent> answer = Sent{};
  int attempts = 0;
  bool hold = false;
  std::vector<SendDone> held;
};

TEST_F(SendingQueueTest, CountsWhatWasSent) {
  SendingQueue queue = make();
  queue.consume(spans(3));
  scheduler.run_ready();
  EXPECT_EQ(sent(), 3u);
  EXPECT_TRUE(queue.drained());
}

TEST_F(SendingQueueTest, CountsRequestsThatNobodyLooksInto) {
  settings.retry.enabled = false;
  settings.queue.queue_size = 1;
  SendingQueue queue = make();
  const auto opaque = [] {
    Batch batch = spans(3);
    batch.opaque = true;
    batch.set_items(0);
    return batch;
  };
  const auto requests = [&](std::string_view outcome) {
    return opaque_exporter_counter(id(), Signal::Traces, outcome).requests->value();
  };
  queue.consume(opaque());
  scheduler.run_ready();
  EXPECT_EQ(requests("sent"), 1u);
  EXPECT_EQ(opaque_exporter_counter(id(), Signal::Traces, "sent").bytes->value(), opaque().bytes());
  answer = fail(ErrorKind::Invalid, "no");
  queue.consume(opaque());
  scheduler.run_ready();
  EXPECT_EQ(requests("permanent"), 1u);
  hold = true;
  queue.consume(opaque());
  queue.consume(opaque());
  EXPECT_EQ(requests("queue_full"), 1u);
  EXPECT_EQ(sent(), 0u);
}

TEST_F(SendingQueueTest, TriesAgainWhileThePeerIsUnreachable) {
  SendingQueue queue = make();
  answer = fail(ErrorKind::Unavailable, "refused");
  queue.consume(spans(1));
  scheduler.run_ready();
  EXPECT_EQ(attempts, 1);
  scheduler.advance(milliseconds(4999));
  EXPECT_EQ(attempts, 1);
  scheduler.advance(milliseconds(1));
  EXPECT_EQ(attempts, 2);
  scheduler.advance(milliseconds(7500));
  EXPECT_EQ(attempts, 3);
  answer = Sent{};
  scheduler.advance(seconds(30));
  EXPECT_EQ(attempts, 4);
  EXPECT_EQ(sent(), 1u);
  EXPECT_TRUE(queue.drained());
}

TEST_F(SendingQueueTest, WaitsAsLongAsThePeerAsks) {
  SendingQueue queue = make();
  answer = std::unexpected(Error{ErrorKind::Exhausted, "busy", seconds(60)});
  queue.consume(spans(1));
  scheduler.advance(seconds(59));
  EXPECT_EQ(attempts, 1);
  scheduler.advance(seconds(1));
  EXPECT_EQ(attempts, 2);
}

TEST_F(SendingQueueTest, GivesUpAfterTheElapsedTimeAndCountsIt) {
  SendingQueue queue = make();
  answer = fail(ErrorKind::Unavailable, "refused");
  queue.consume(spans(2));
  scheduler.advance(std::chrono::minutes(6));
  EXPECT_EQ(dropped("retries_exhausted"), 2u);
  EXPECT_TRUE(queue.drained());
  const int before = attempts;
  scheduler.advance(std::chrono::minutes(6));
  EXPECT_EQ(attempts, before);
}

TEST_F(SendingQueueTest, DoesNotRepeatAPermanentFailure) {
  SendingQueue queue = make();
  answer = fail(ErrorKind::Invalid, "400");
  queue.consume(spans(2));
  scheduler.advance(seconds(60));
  EXPECT_EQ(attempts, 1);
  EXPECT_EQ(dropped("permanent"), 2u);
}

TEST_F(SendingQueueTest, RefusesWhatDoesNotFitAndCountsIt) {
  settings.queue.queue_size = 2;
  hold = true;
  SendingQueue queue = make();
  std::vector<Outcome::Kind> outcomes;
  for (int i = 0; i < 3; ++i) {
    queue.consume(spans(1, Ack::make(nullptr, [&](Outcome o) { outcomes.push_back(o.kind); })));
  }
  EXPECT_EQ(dropped("queue_full"), 1u);
  EXPECT_EQ(outcomes, (std::vector{Outcome::Delivered, Outcome::Delivered, Outcome::Failed}));
}

TEST_F(SendingQueueTest, KeepsToItsConsumers) {
  settings.queue.num_consumers = 2;
  hold = true;
  SendingQueue queue = make();
  for (int i = 0; i < 5; ++i) queue.consume(spans(1));
  EXPECT_EQ(attempts, 2);
  held[0](Sent{});
  scheduler.run_ready();
  EXPECT_EQ(attempts, 3);
}

TEST_F(SendingQueueTest, WithoutAQueueThePeersAnswerIsTheAcknowledgement) {
  settings.queue.enabled = false;
  hold = true;
  SendingQueue queue = make();
  std::optional<Outcome> outcome;
  queue.consume(spans(4, Ack::make(nullptr, [&](Outcome o) { outcome = std::move(o); })));
  EXPECT_FALSE(outcome);
  held[0](Sent{.rejected = 1, .message = "no"});
  scheduler.run_ready();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->rejected, 1u);
  EXPECT_EQ(sent(), 3u);
  EXPECT_EQ(dropped("rejected"), 1u);
}

TEST_F(SendingQueueTest, StoppingDrainsAtOnce) {
  SendingQueue queue = make();
  answer = fail(ErrorKind::Unavailable, "refused");
  queue.consume(spans(1));
  scheduler.run_ready();
  answer = Sent{};
  queue.stop();
  scheduler.run_ready();
  EXPECT_TRUE(queue.drained());
  EXPECT_EQ(sent(), 1u);
}

TEST_F(SendingQueueTest, WhatCannotBeDrainedIsCounted) {
  hold = true;
  {
    SendingQueue queue = make();
    queue.consume(spans(2));
    queue.stop();
    EXPECT_FALSE(queue.drained());
  }
  EXPECT_EQ(dropped("shutdown"), 2u);
  held[0](Sent{});  // A late answer must find nothing and harm nothing.
  scheduler.run_ready();
  EXPECT_EQ(sent(), 0u);
}

TEST_F(SendingQueueTest, NeverTakesWhatIsLargerThanTheWholeQueue) {
  settings.queue.sizer = "items";
  settings.queue.queue_size = 10;
  SendingQueue queue = make();
  std::optional<Outcome> outcome;
  queue.consume(spans(11, Ack::make(nullptr, [&](Outcome o) { outcome = std::move(o); })));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->error.kind, ErrorKind::Invalid);
  EXPECT_EQ(dropped("too_large"), 11u);
}

TEST_F(SendingQueueTest, TellsARefusedSenderWhenToComeBack) {
  settings.queue.queue_size = 1;
  hold = true;
  SendingQueue queue = make();
  std::optional<Outcome> outcome;
  queue.consume(spans(1));
  queue.consume(spans(1, Ack::make(nullptr, [&](Outcome o) { outcome = std::move(o); })));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->error.kind, ErrorKind::Exhausted);
  EXPECT_GT(outcome->error.retry_after, Duration{});
}

TEST_F(SendingQueueTest, ASenderMayWaitForRoom) {
  settings.queue.queue_size = 2;
  settings.queue.num_consumers = 1;
  settings.queue.block_on_overflow = true;
  hold = true;
  SendingQueue queue = make();
  std::vector<int> ended;
  std::vector<Outcome::Kind> kinds;
  for (int i = 0; i < 5; ++i) {
    queue.consume(spans(1, Ack::make(nullptr, [&, i](Outcome o) {
                          ended.push_back(i);
                          kinds.push_back(o.kind);
                        })));
  }
  // Two stand in the queue, two wait, and the fifth finds even the waiting room full.
  EXPECT_EQ(ended, (std::vector{0, 1, 4}));
  EXPECT_EQ(kinds.back(), Outcome::Failed);
  held[0](Sent{});
  scheduler.run_ready();
  EXPECT_EQ(ended, (std::vector{0, 1, 4, 2}));
  EXPECT_EQ(kinds.back(), Outcome::Delivered);
  queue.stop();
  EXPECT_EQ(ended, (std::vector{0, 1, 4, 2, 3}));
  EXPECT_EQ(kinds.back(), Outcome::Failed);
}

TEST_F(SendingQueueTest, ASenderMayWaitForTheResult) {
  settings.queue.wait_for_result = true;
  hold = true;
  SendingQueue queue = make();
  std::vector<Outcome::Kind> kinds;
  for (int i = 0; i < 2; ++i) {
    queue.consume(spans(1, Ack::make(nullptr, [&](Outcome o) { kinds.push_back(o.kind); })));
  }
  EXPECT_TRUE(kinds.empty());
  held[0](Sent{});
  held[1](fail(ErrorKind::Invalid, "400"));
  scheduler.run_ready();
  EXPECT_EQ(kinds, (std::vector{Outcome::Delivered, Outcome::Failed}));
}

TEST_F(SendingQueueTest, EachSignalHasAQueueOfItsOwn) {
  settings.queue.queue_size = 1;
  hold = true;
  SendingQueue queue = make();
  queue.consume(spans(1));
  queue.consume(Batch(Signal::Logs, {}));
  EXPECT_EQ(attempts, 2);
  EXPECT_EQ(dropped("queue_full"), 0u);
}

TEST_F(SendingQueueTest, ALateAnswerDoesNotEndTheNextRequest) {
  settings.queue.num_consumers = 1;
  hold = true;
  SendingQueue queue = make();
  queue.consume(spans(1));
  queue.consume(spans(1));
  held[0](Sent{});
  held[0](Sent{});  // A client that answers twice.
  scheduler.run_ready();
  EXPECT_EQ(sent(), 1u);
  EXPECT_EQ(queue.size(), 1u);
}

TEST_F(SendingQueueTest, ReportsAPeerThatFailsAndThatItWorksAgainOnceAllSignalsDo) {
  TestHost host;
  SendingQueue queue = make();
  ASSERT_TRUE(queue.restore(host));
  queue.consume(spans(1));
  scheduler.run_ready();
  EXPECT_TRUE(host.statuses.empty()) << "what works is no news";
  answer = fail(ErrorKind::Unavailable, "refused");
  for (int i = 0; i < 3; ++i) queue.consume(spans(1));
  scheduler.run_ready();
  ASSERT_EQ(host.statuses.size(), 1u);
  EXPECT_EQ(host.statuses[0].kind, StatusKind::RecoverableError);
  EXPECT_EQ(host.statuses[0].error, "refused");
  Batch logs = spans(1);
  logs.signal = Signal::Logs;
  answer = fail(ErrorKind::Invalid, "no logs here");
  queue.consume(std::move(logs));
  scheduler.run_ready();
  ASSERT_EQ(host.statuses.size(), 2u);
  answer = Sent{};
  scheduler.advance(seconds(30));
  ASSERT_EQ(host.statuses.size(), 3u) << "the logs still fail";
  EXPECT_EQ(host.statuses[2].error, "no logs here");
  logs = spans(1);
  logs.signal = Signal::Logs;
  queue.consume(std::move(logs));
  scheduler.run_ready();
  EXPECT_EQ(host.statuses.back().kind, StatusKind::Ok);
}

TEST_F(SendingQueueTest, TellsHowLongTheOldestWaitsAndWhatACrashWouldLose) {
  TestHost host;
  SendingQueue queue = make();
  ASSERT_TRUE(queue.restore(host));
  const CounterLabels labels{{"exporter", id()}, {"data_type", "traces"}};
  const Gauge& age = gauge("sonde_exporter_queue_oldest_seconds", "", labels);
  const Gauge& at_risk = gauge("sonde_at_risk_items", "", labels);
  hold = true;
  queue.consume(spans(3));
  scheduler.advance(seconds(4));
  queue.consume(spans(2));
  scheduler.advance(seconds(1));
  EXPECT_EQ(age.value(), 5);
  EXPECT_EQ(gauge("otelcol_exporter_in_flight_requests", "", labels).value(), 2);
  EXPECT_EQ(at_risk.value(), 5);
  held[0](Sent{});
  scheduler.advance(seconds(5));
  EXPECT_EQ(age.value(), 6);
  EXPECT_EQ(at_risk.value(), 2);
  held[1](Sent{});
  scheduler.advance(seconds(5));
  EXPECT_EQ(age.value(), 0);
  EXPECT_EQ(at_risk.value(), 0);
}

TEST_F(SendingQueueTest, RisksNothingThatASenderIsStillWaitingFor) {
  TestHost host;
  settings.queue.wait_for_result = true;
  SendingQueue queue = make();
  ASSERT_TRUE(queue.restore(host));
  hold = true;
  queue.consume(spans(3));
  scheduler.advance(seconds(5));
  const CounterLabels labels{{"exporter", id()}, {"data_type", "traces"}};
  EXPECT_EQ(gauge("sonde_exporter_queue_oldest_seconds", "", labels).value(), 5);
  EXPECT_EQ(gauge("sonde_at_risk_items", "", labels).value(), 0);
}

}  // namespace
}  // namespace sonde::pipeline
