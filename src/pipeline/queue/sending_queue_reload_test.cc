// SPDX-License-Identifier: Apache-2.0
// A sending queue goes on under an exporter with other settings: what is held is sent once.
#include "base/counters.h"
#include "pipeline/queue/testing/reload_fixture.h"

namespace sonde::pipeline {
namespace {

using std::chrono::seconds;

TEST_F(SendingQueueReloadTest, WhatWaitsAndWhatIsTriedAgainGoesToTheNewPeer) {
  settings.queue.num_consumers = 1;
  first.away = true;
  auto old = filled(5);
  EXPECT_EQ(first.requests, 1);  // One is tried again later, four wait.
  settings.queue.num_consumers = 2;
  auto next = successor(*old);
  end(old);
  host.scheduler().advance(seconds(60));
  EXPECT_EQ(second.items, 10u);
  EXPECT_EQ(first.requests, 1);
  EXPECT_TRUE(next->drained());
  EXPECT_EQ(dropped("shutdown"), 0u);
}

TEST_F(SendingQueueReloadTest, OpensWhatItHoldsWhereTheNewOneLooksInside) {
  settings.queue.num_consumers = 1;
  settings.queue.queue_size = 3;
  settings.queue.block_on_overflow = true;
  first.hold = true;
  auto old = make(first);
  old->consume(sealed(1));
  run();
  old->consume(sealed(2));
  Batch damaged = sealed(1);
  damaged.original = std::make_shared<const Encoded>("gzip", Bytes::copy("no gzip"), 0, 100);
  std::vector<Outcome::Kind> ended;
  damaged.ack = Ack::make(nullptr, [&](Outcome outcome) { ended.push_back(outcome.kind); });
  old->consume(std::move(damaged));
  const auto keep = [&](Outcome outcome) { ended.push_back(outcome.kind); };
  old->consume(sealed(4, Ack::make(nullptr, keep)));
  EXPECT_EQ(ended.size(), 1u);  // The last one waits for room.
  settings.queue.batch.emplace().min_size = 4;
  auto next = successor(*old);
  old->consume(sealed(8));
  first.held[0](Sent{});
  run();
  end(old);
  host.scheduler().advance(seconds(60));
  EXPECT_EQ(second.items, 2u + 4u + 8u);
  EXPECT_EQ(opaque_exporter_counter(id(), Signal::Traces, "damaged").requests->value(), 1u);
  EXPECT_EQ(opaque_exporter_counter(id(), Signal::Traces, "sent").requests->value(), 1u);
  EXPECT_EQ(exporter_counter("otelcol_exporter_sent_", Signal::Traces, id()).value(), 14u);
  EXPECT_EQ(ended, (std::vector{Outcome::Delivered, Outcome::Delivered}));
  EXPECT_TRUE(next->drained());
}

TEST_F(SendingQueueReloadTest, WhatWasTakenWithoutALookIsSentAsItIs) {
  settings.queue.num_consumers = 1;
  first.away = true;
  auto old = make(first);
  for (int i = 0; i < 2; ++i) old->consume(Batch(Signal::Traces, {Bytes::copy("\xff\xff")}));
  run();
  settings.queue.batch = {.max_size = 1, .sizer = "bytes"};
  auto next = successor(*old);
  end(old);
  host.scheduler().advance(seconds(60));
  EXPECT_EQ(second.requests, 2);
}

TEST_F(SendingQueueReloadTest, WhatIsInFlightIsNotSentTwice) {
  first.hold = true;
  auto old = make(first);
  old->consume(spans(3));
  run();
  auto next = successor(*old);
  old->stop();
  run();
  EXPECT_FALSE(old->drained());
  first.held[0](Sent{});
  run();
  EXPECT_TRUE(old->drained());
  old.reset();
  host.scheduler().advance(seconds(60));
  EXPECT_EQ(second.requests, 0);
  EXPECT_EQ(exporter_counter("otelcol_exporter_sent_", Signal::Traces, id()).value(), 3u);
}

TEST_F(SendingQueueReloadTest, WhatFailsInFlightIsTriedAgainByTheNewOne) {
  first.hold = true;
  auto old = make(first);
  old->consume(spans(3));
  run();
  auto next = successor(*old);
  old->stop();
  first.held[0](fail(ErrorKind::Unavailable, "reset"));
  run();
  end(old);
  host.scheduler().advance(seconds(60));
  EXPECT_EQ(second.items, 3u);
}

TEST_F(SendingQueueReloadTest, BeforeItTakesOverTheOldOneSends) {
  auto old = make(first);
  auto next = make(second, old.get());
  next->consume(spans(2));
  run();
  EXPECT_EQ(first.items, 2u);
  next.reset();  // The new configuration did not start.
  old->consume(spans(1));
  run();
  EXPECT_EQ(first.items, 3u);
}

TEST_F(SendingQueueReloadTest, WhatComesToTheOldOneAfterwardsIsSentByTheNewOne) {
  auto old = make(first);
  auto next = successor(*old);
  old->consume(spans(2));
  end(old);
  run();
  EXPECT_EQ(first.items, 0u);
  EXPECT_EQ(second.items, 2u);
}

TEST_F(SendingQueueReloadTest, ASmallerQueueKeepsWhatTheLargerOneHeld) {
  first.hold = second.hold = true;
  settings.queue.num_consumers = 1;
  settings.queue.queue_size = 10;
  auto old = make(first);
  for (int i = 0; i < 10; ++i) old->consume(spans(1));
  run();
  settings.queue.queue_size = 4;
  settings.queue.sizer = "items";
  auto next = successor(*old);
  next->consume(spans(1));
  EXPECT_EQ(dropped("queue_full"), 1u);
  first.held[0](Sent{});
  run();
  ASSERT_EQ(second.held.size(), 1u);
  second.hold = false;
  second.held[0](Sent{});
  run();
  EXPECT_EQ(second.items, 8u);
  end(old);
  next->consume(spans(4));
  run();
  EXPECT_EQ(second.items, 12u);  // The room is as large as it is said to be.
}

TEST_F(SendingQueueReloadTest, AnotherSizerCountsAnewWhatIsHeld) {
  first.hold = second.hold = true;
  settings.queue.num_consumers = 1;
  settings.queue.sizer = "bytes";
  settings.queue.block_on_overflow = true;
  settings.queue.queue_size = spans(1).bytes() * 3;
  auto old = make(first);
  for (int i = 0; i < 5; ++i) old->consume(spans(1));  // Two of them overflow.
  run();
  settings.queue.sizer = "requests";
  settings.queue.queue_size = 10;
  auto next = successor(*old);
  for (int i = 0; i < 5; ++i) next->consume(spans(1));
  EXPECT_EQ(next->size(), 10u);
  EXPECT_EQ(gauge("otelcol_exporter_queue_size", "", {{"exporter", id()}, {"data_type", "traces"}})
                .value(),
            10.0);
  second.hold = false;
  first.held[0](Sent{});
  run();
  EXPECT_EQ(second.items, 9u);
  EXPECT_TRUE(next->drained());
  end(old);
}

TEST_F(SendingQueueReloadTest, AQueueThatBecomesTooSmallForWhoWaitsSendsItAlone) {
  first.hold = true;
  settings.queue.num_consumers = 1;
  settings.queue.sizer = "items";
  settings.queue.block_on_overflow = true;
  settings.queue.queue_size = 6;
  auto old = make(first);
  for (int i = 0; i < 2; ++i) old->consume(spans(5));
  run();
  settings.queue.queue_size = 3;
  auto next = successor(*old);
  first.held[0](Sent{});
  run();
  EXPECT_EQ(second.items, 5u);
  EXPECT_TRUE(next->drained());
  end(old);
}

}  // namespace
}  // namespace sonde::pipeline
