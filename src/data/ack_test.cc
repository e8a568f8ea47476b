// SPDX-License-Identifier: Apache-2.0
#include "data/ack.h"

#include <gtest/gtest.h>

#include "base/counters.h"
#include "base/virtual_scheduler.h"

namespace sonde {
namespace {

struct Waiter {
  std::vector<Outcome> outcomes;
  Ack ack() {
    return Ack::make(nullptr, [this](Outcome outcome) { outcomes.push_back(std::move(outcome)); });
  }
};

TEST(Ack, TellsTheWaiterOnce) {
  Waiter waiter;
  Ack ack = waiter.ack();
  EXPECT_TRUE(ack.live());
  ack.deliver();
  EXPECT_FALSE(ack.live());
  ack.drop("late");
  ASSERT_EQ(waiter.outcomes.size(), 1U);
  EXPECT_EQ(waiter.outcomes[0].kind, Outcome::Delivered);
}

TEST(Ack, OfNobodyTakesEveryCall) {
  Ack ack;
  ack.deliver();
  ack.fail({});
  EXPECT_FALSE(ack.split().live());
}

TEST(Ack, SplitEndsWithTheLastBranchAndTheWorstOutcome) {
  Waiter waiter;
  Ack a = waiter.ack();
  Ack b = a.split();
  Ack c = b.split();
  b.fail({ErrorKind::Unavailable, "no route", std::chrono::seconds(3)}, 7);
  a.drop("queue_full");
  EXPECT_TRUE(waiter.outcomes.empty());
  c.deliver();
  ASSERT_EQ(waiter.outcomes.size(), 1U);
  EXPECT_EQ(waiter.outcomes[0].kind, Outcome::Failed);
  EXPECT_EQ(waiter.outcomes[0].error.message, "no route");
  EXPECT_EQ(waiter.outcomes[0].error.retry_after, std::chrono::seconds(3));
  EXPECT_EQ(waiter.outcomes[0].rejected, 7U);
}

Outcome worst_of(std::vector<std::pair<Error, uint64_t>> failures) {
  Waiter waiter;
  Ack last = waiter.ack();
  for (auto& [error, rejected] : failures) last.split().fail(std::move(error), rejected);
  last.deliver();
  return waiter.outcomes.at(0);
}

TEST(Ack, FailsAsAWholeWhereOneBranchDidThoughAnotherTookAPart) {
  const std::pair<Error, uint64_t> part = {{ErrorKind::Invalid, "too old", {}}, 3};
  const std::pair<Error, uint64_t> whole = {{ErrorKind::Unavailable, "down", {}}, 0};
  for (const Outcome& outcome : {worst_of({part, whole}), worst_of({whole, part})}) {
    EXPECT_EQ(outcome.error.message, "down");
    EXPECT_EQ(outcome.rejected, 0U);
  }
  EXPECT_EQ(worst_of({part, part}).rejected, 6U);
}

TEST(Ack, IsWorthARetryWhereOneBranchIs) {
  const std::pair<Error, uint64_t> never = {{ErrorKind::Invalid, "malformed", {}}, 0};
  const std::pair<Error, uint64_t> later = {
      {ErrorKind::Unavailable, "down", std::chrono::seconds(2)}, 0};
  const std::pair<Error, uint64_t> full = {{ErrorKind::Exhausted, "full", std::chrono::seconds(5)},
                                           0};
  EXPECT_EQ(worst_of({never, later}).error.message, "down");
  EXPECT_EQ(worst_of({later, never}).error.message, "down");
  EXPECT_EQ(worst_of({later, full}).error.retry_after, std::chrono::seconds(5));
  EXPECT_EQ(worst_of({full, later}).error.retry_after, std::chrono::seconds(5));
}

TEST(Ack, MergeTellsEveryPart) {
  Waiter waiter;
  std::vector<Ack> parts;
  parts.push_back(waiter.ack());
  parts.push_back(Ack());
  parts.push_back(waiter.ack());
  Ack::merge(std::move(parts)).drop("full");
  ASSERT_EQ(waiter.outcomes.size(), 2U);
  EXPECT_EQ(waiter.outcomes[1].reason, "full");
}

TEST(Ack, AnswersOnTheSchedulerItCameFrom) {
  VirtualScheduler scheduler;
  bool told = false;
  Ack ack = Ack::make(&scheduler, [&](Outcome) { told = true; });
  ack.deliver();
  EXPECT_FALSE(told);
  scheduler.run_ready();
  EXPECT_TRUE(told);
}

TEST(Ack, LostOnesAreCountedAndFail) {
  Waiter waiter;
  const double before = Counters::sum("sonde_ack_lost_total");
  {
    Ack ack = waiter.ack();
  }
  EXPECT_EQ(Counters::sum("sonde_ack_lost_total"), before + 1);
  ASSERT_EQ(waiter.outcomes.size(), 1U);
  EXPECT_EQ(waiter.outcomes[0].kind, Outcome::Failed);
}

TEST(Ack, LostOnesDieWhereTestsAskForIt) {
  EXPECT_DEATH(
      {
        Ack::abort_on_lost(true);
        Ack ack = Ack::make(nullptr, [](Outcome) {});
      },
      "acknowledgement was lost");
}

}  // namespace
}  // namespace sonde
