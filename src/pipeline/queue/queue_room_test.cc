// SPDX-License-Identifier: Apache-2.0
// Room in the sending queues of several branches: for a request in all of them or in none, and
// never for more than they hold.
#include "pipeline/queue/queue_room.h"

#include <gtest/gtest.h>

#include "base/counters.h"
#include "base/virtual_scheduler.h"
#include "pipeline/introspection/own_telemetry.h"
#include "pipeline/queue/sending_queue.h"
#include "pipeline/testing/spans.h"

namespace sonde::pipeline {
namespace {

std::string test_name() { return testing::UnitTest::GetInstance()->current_test_info()->name(); }

// A queue whose peer never answers.
struct Stuck {
  Stuck(Scheduler& scheduler, std::string of, const QueueSettings& settings)
      : id(std::move(of)), queue(scheduler, id, {.queue = settings, .retry = {}}, send()) {}
  Send send() {
    return [this](const Batch&, SendDone done) { held.push_back(std::move(done)); };
  }
  uint64_t dropped(std::string_view reason) {
    return dropped_counter(id, Signal::Traces, reason).value();
  }
  std::string id;
  std::vector<SendDone> held;
  SendingQueue queue;
};

std::shared_ptr<const Gates> gates_of(std::initializer_list<Stuck*> queues) {
  auto gates = std::make_shared<Gates>();
  for (Stuck* one : queues) one->queue.gates(Signal::Traces, *gates);
  return gates;
}

Outcome give(SendingQueue& queue, int items) {
  Outcome outcome{.kind = Outcome::Failed, .reason = {}, .error = {}};
  queue.consume(spans(items, Ack::make(nullptr, [&](Outcome o) { outcome = std::move(o); })));
  return outcome;
}

TEST(QueueRoom, IsSetAsideInEveryBranchOrInNone) {
  VirtualScheduler scheduler;
  Stuck wide(scheduler, test_name() + "/wide", {.queue_size = 3});
  Stuck narrow(scheduler, test_name() + "/narrow", {.queue_size = 2});
  const auto gates = gates_of({&wide, &narrow});
  auto first = Admission::ask(gates, {1, 0, 100});
  auto second = Admission::ask(gates, {1, 0, 100});
  ASSERT_TRUE(first && second);
  const auto third = Admission::ask(gates, {1, 0, 100});
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().kind, ErrorKind::Exhausted);
  EXPECT_GT(third.error().retry_after, Duration{});
  // What was set aside is nobody else's.
  EXPECT_EQ(give(narrow.queue, 1).kind, Outcome::Failed);
  EXPECT_EQ(give(wide.queue, 1).kind, Outcome::Delivered);
  EXPECT_EQ(give(wide.queue, 1).kind, Outcome::Failed);
  first->end();
  EXPECT_EQ(give(narrow.queue, 1).kind, Outcome::Delivered);
  second->end();
  EXPECT_EQ(give(narrow.queue, 1).kind, Outcome::Delivered);
  EXPECT_EQ(give(narrow.queue, 1).kind, Outcome::Failed);
  scheduler.run_ready();
  for (SendDone& done : std::exchange(narrow.held, {})) done(Sent{});
  scheduler.run_ready();
  EXPECT_TRUE(Admission::ask(gates_of({&narrow}), {1, 0, 100}));
}

TEST(QueueRoom, CountsItemsWhenTheyAreKnown) {
  VirtualScheduler scheduler;
  Stuck stuck(scheduler, test_name(), {.queue_size = 10, .sizer = "items"});
  auto admitted = Admission::ask(gates_of({&stuck}), {1, 0, 5000});
  ASSERT_TRUE(admitted);
  EXPECT_TRUE(admitted->change({1, 10, 5000}));
  const auto refused = Admission::ask(gates_of({&stuck}), {1, 0, 5000});
  EXPECT_FALSE(refused);
  const auto large = admitted->change({1, 11, 5000});
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().kind, ErrorKind::Invalid);  // It will never fit.
  EXPECT_TRUE(Admission::ask(gates_of({&stuck}), {1, 0, 5000}));
}

TEST(QueueRoom, CountsBytes) {
  VirtualScheduler scheduler;
  Stuck stuck(scheduler, test_name(), {.queue_size = 1000, .sizer = "bytes"});
  const auto admitted = Admission::ask(gates_of({&stuck}), {1, 0, 600});
  ASSERT_TRUE(admitted);
  EXPECT_FALSE(Admission::ask(gates_of({&stuck}), {1, 0, 401}));
  EXPECT_TRUE(Admission::ask(gates_of({&stuck}), {1, 0, 400}));
}

TEST(QueueRoom, OfAQueueThatDropsRefusesNobody) {
  VirtualScheduler scheduler;
  Stuck stuck(scheduler, test_name(), {.queue_size = 1, .drop_on_overflow = true});
  for (int i = 0; i < 3; ++i) {
    auto admitted = Admission::ask(gates_of({&stuck}), {1, 0, 100});
    ASSERT_TRUE(admitted);
    admitted->end();
    EXPECT_EQ(give(stuck.queue, 7).kind, i == 0 ? Outcome::Delivered : Outcome::Dropped);
  }
  EXPECT_EQ(stuck.dropped("queue_full"), 14u);
}

TEST(QueueRoom, OfAQueueThatDropsLeavesMemoryToTheOthers) {
  VirtualScheduler scheduler;
  Stuck drops(scheduler, test_name() + "_drops", {.queue_size = 1000, .drop_on_overflow = true});
  Stuck keeps(scheduler, test_name() + "_keeps", {.queue_size = 1000});
  MemoryLedger& ledger = MemoryLedger::process();
  const size_t limit = ledger.limit();
  constexpr size_t kMuch = 100 << 20;  // The budget is four fifths of five times this.
  const size_t before = ledger.held();
  ledger.set_limit(5 * (kMuch + before));
  std::vector<Outcome::Kind> kinds;
  std::vector<Bytes> held;
  for (int quarter = 1; quarter <= 4; ++quarter) {
    held.push_back(Bytes::take(std::string(kMuch - (4 << 20), 'x')));
    kinds.push_back(give(drops.queue, 5).kind);
    EXPECT_EQ(give(keeps.queue, 5).kind, Outcome::Delivered);
  }
  ledger.set_limit(limit);
  EXPECT_EQ(kinds, (std::vector{Outcome::Delivered, Outcome::Delivered, Outcome::Delivered,
                                Outcome::Dropped}));
  EXPECT_EQ(drops.dropped("memory_limit"), 5u);
}

TEST(QueueRoom, IsTwiceTheQueueWhereSendersWait) {
  VirtualScheduler scheduler;
  Stuck stuck(scheduler, test_name(), {.queue_size = 1, .block_on_overflow = true});
  auto first = Admission::ask(gates_of({&stuck}), {1, 0, 100});
  auto second = Admission::ask(gates_of({&stuck}), {1, 0, 100});
  EXPECT_TRUE(first && second);
  EXPECT_FALSE(Admission::ask(gates_of({&stuck}), {1, 0, 100}));
  first->end();
  second->end();
  int ended = 0;
  for (int i = 0; i < 2; ++i)
    stuck.queue.consume(spans(1, Ack::make(nullptr, [&](Outcome) { ++ended; })));
  EXPECT_EQ(ended, 1);
  EXPECT_FALSE(Admission::ask(gates_of({&stuck}), {1, 0, 100}));
  stuck.queue.stop();
  EXPECT_EQ(ended, 2);
  EXPECT_TRUE(Admission::ask(gates_of({&stuck}), {1, 0, 100}));
}

TEST(QueueRoom, IsNotAskedForWhereThereIsNoQueue) {
  VirtualScheduler scheduler;
  Stuck stuck(scheduler, test_name(), {.enabled = false});
  EXPECT_TRUE(gates_of({&stuck})->empty());
}

TEST(QueueRoom, TakesNothingMoreAboveTheMemoryLimit) {
  VirtualScheduler scheduler;
  Stuck stuck(scheduler, test_name(), {.queue_size = 10});
  MemoryLedger& ledger = MemoryLedger::process();
  const size_t limit = ledger.limit();
  ledger.set_limit(1);
  const Bytes held = Bytes::take(std::string(100, 'x'));
  const Outcome refused = give(stuck.queue, 5);
  ledger.set_limit(limit);
  EXPECT_EQ(refused.kind, Outcome::Failed);
  EXPECT_EQ(refused.error.kind, ErrorKind::Exhausted);
  EXPECT_EQ(stuck.dropped("memory_limit"), 5u);
  EXPECT_EQ(give(stuck.queue, 5).kind, Outcome::Delivered);
}

}  // namespace
}  // namespace sonde::pipeline
