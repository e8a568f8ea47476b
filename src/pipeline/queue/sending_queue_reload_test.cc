// SPDX-License-Identifier: Apache-2.0
// A sending queue goes on under an exporter with other settings: what is held is sent once.
#include <gtest/gtest.h>

#include "base/counters.h"
#include "base/testing/temporary_directory.h"
#include "net/compression/compression.h"
#include "pipeline/introspection/own_telemetry.h"
#include "pipeline/queue/sending_queue.h"
#include "pipeline/storage.h"
#include "pipeline/test_host.h"
#include "pipeline/testing/spans.h"

namespace sonde::pipeline {
namespace {

using std::chrono::seconds;

class Folder final : public Component, public Storage {
 public:
  Result<std::filesystem::path> directory_for(std::string_view, std::string_view,
                                              std::string_view name) override {
    const auto path = directory_.path() / name;
    std::filesystem::create_directories(path);
    return path;
  }
  bool fsync() const override { return false; }
  uint64_t max_bytes() const override { return bound; }
  uint64_t bound = UINT64_MAX;

 private:
  TemporaryDirectory directory_;
};

// An exporter's peer: how many records came, and whether it answers.
struct Peer {
  uint64_t items = 0;
  int requests = 0;
  bool away = false;
  bool hold = false;
  std::vector<SendDone> held;
};

class SendingQueueReloadTest : public testing::Test {
 protected:
  SendingQueueReloadTest() {
    Ack::abort_on_lost(true);
    settings.retry.randomization_factor = 0;
    host.extensions["a"] = &a;
    host.extensions["b"] = &b;
  }
  std::string id() const { return testing::UnitTest::GetInstance()->current_test_info()->name(); }
  std::unique_ptr<SendingQueue> make(Peer& peer, SendingQueue* predecessor = nullptr) {
    auto queue = std::make_unique<SendingQueue>(host.scheduler(), id(), settings,
                                                [&peer](const Batch& batch, SendDone done) {
                                                  ++peer.requests;
                                                  if (peer.hold) {
                                                    peer.held.push_back(std::move(done));
                                                  } else if (peer.away) {
                                                    done(fail(ErrorKind::Unavailable, "away"));
                                                  } else {
                                                    peer.items += batch.items();
                                                    done(Sent{});
                                                  }
                                                });
    const auto restored = queue->restore(host, predecessor);
    EXPECT_TRUE(restored) << (restored ? "" : restored.error().message);
    return queue;
  }
  void run() { host.scheduler().run_ready(); }
  uint64_t dropped(std::string_view reason) {
    return dropped_counter(id(), Signal::Traces, reason).value();
  }
  // The old one stops as the engine stops it, and must have let go of everything.
  void end(std::unique_ptr<SendingQueue>& queue) {
    queue->stop();
    run();
    EXPECT_TRUE(queue->drained());
    queue.reset();
  }

  TestHost host;
  Folder a, b;
  SendingSettings settings;
  Peer first, second;
};

TEST_F(SendingQueueReloadTest, WhatWaitsAndWhatIsTriedAgainGoesToTheNewPeer) {
  settings.queue.num_consumers = 1;
  first.away = true;
  auto old = make(first);
  for (int i = 0; i < 5; ++i) old->consume(spans(2));
  run();
  EXPECT_EQ(first.requests, 1);  // One is tried again later, four wait.
  settings.queue.num_consumers = 2;
  auto next = make(second, old.get());
  next->take_over();
  end(old);
  host.scheduler().advance(seconds(60));
  EXPECT_EQ(second.items, 10u);
  EXPECT_EQ(first.requests, 1);
  EXPECT_TRUE(next->drained());
  EXPECT_EQ(dropped("shutdown"), 0u);
}

// A request that came compressed, and that nobody has looked into.
Batch sealed(int count, Ack ack = {}) {
  const Batch open = spans(count);
  Batch batch(Signal::Traces, {}, std::move(ack));
  batch.original = std::make_shared<const Encoded>(
      "gzip", *net::compress(net::Encoding::Gzip, open.chunks), 0, 1 << 20);
  batch.opaque = true;
  return batch;
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
  auto next = make(second, old.get());
  next->take_over();
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
  auto next = make(second, old.get());
  next->take_over();
  end(old);
  host.scheduler().advance(seconds(60));
  EXPECT_EQ(second.requests, 2);
}

TEST_F(SendingQueueReloadTest, WhatIsInFlightIsNotSentTwice) {
  first.hold = true;
  auto old = make(first);
  old->consume(spans(3));
  run();
  auto next = make(second, old.get());
  next->take_over();
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
  auto next = make(second, old.get());
  next->take_over();
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
  auto next = make(second, old.get());
  next->take_over();
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
  auto next = make(second, old.get());
  next->take_over();
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

TEST_F(SendingQueueReloadTest, AQueueOnDiskStaysOnDisk) {
  settings.queue.storage = "a";
  settings.queue.num_consumers = 1;
  first.away = second.away = true;
  auto old = make(first);
  for (int i = 0; i < 3; ++i) old->consume(spans(2));
  run();
  auto next = make(second, old.get());
  next->take_over();
  end(old);
  next->consume(spans(2));
  run();
  // As after a kill: what the directory holds is all of it.
  end(next);
  Peer third;
  auto later = make(third);
  run();
  EXPECT_EQ(third.items, 8u);
}

TEST_F(SendingQueueReloadTest, WhatWasInMemoryIsOnDiskFromNowOn) {
  settings.queue.num_consumers = 1;
  first.hold = second.hold = true;
  auto old = make(first);
  for (int i = 0; i < 3; ++i) old->consume(spans(2));
  run();
  settings.queue.storage = "a";
  auto next = make(second, old.get());
  next->take_over();
  first.held[0](Sent{});
  end(old);
  run();
  next->stop();
  next.reset();
  Peer third;
  auto later = make(third);
  run();
  EXPECT_EQ(third.items, 4u);
}

TEST_F(SendingQueueReloadTest, WhatWasTriedAgainAndPartsOfItAreOnDiskFromNowOnToo) {
  for (const uint64_t max_size : {0, 3}) {
    SCOPED_TRACE(max_size);
    settings = {};
    settings.retry.randomization_factor = 0;
    settings.queue.num_consumers = 2;
    if (max_size > 0) settings.queue.batch = {.min_size = 1, .max_size = max_size};
    first.away = second.away = true;
    auto old = make(first);
    for (int i = 0; i < 5; ++i) old->consume(spans(2 + i));
    run();
    settings.queue.storage = max_size > 0 ? "a" : "b";
    auto next = make(second, old.get());
    next->take_over();
    end(old);
    next->stop();
    run();
    EXPECT_TRUE(next->drained());
    next.reset();
    EXPECT_EQ(dropped("shutdown"), 0u);
    Peer third;
    auto later = make(third);
    run();
    EXPECT_EQ(third.items, 20u);
    EXPECT_TRUE(later->drained());
    later.reset();
    Peer fourth;
    later = make(fourth);
    run();
    EXPECT_EQ(fourth.items, 0u);
  }
}

TEST_F(SendingQueueReloadTest, WhatTheDiskHasNoRoomForIsSentOrCountedAtTheEnd) {
  settings.queue.num_consumers = 2;
  first.away = second.away = true;
  auto old = make(first);
  for (int i = 0; i < 5; ++i) old->consume(spans(2));
  run();
  settings.queue.storage = "a";
  a.bound = 1;
  auto next = make(second, old.get());
  next->take_over();
  end(old);
  next->stop();
  run();
  EXPECT_TRUE(next->drained());
  EXPECT_EQ(dropped("shutdown"), 10u);
  EXPECT_GE(second.requests, 5);  // Each had one more chance.
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
  auto next = make(second, old.get());
  next->take_over();
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
  auto next = make(second, old.get());
  next->take_over();
  first.held[0](Sent{});
  run();
  EXPECT_EQ(second.items, 5u);
  EXPECT_TRUE(next->drained());
  end(old);
}

TEST_F(SendingQueueReloadTest, AQueueInAnotherDirectoryIsTheOldOnesUntilItsEnd) {
  settings.queue.storage = "a";
  settings.queue.num_consumers = 1;
  first.away = true;
  auto old = make(first);
  for (int i = 0; i < 3; ++i) old->consume(spans(2));
  run();
  settings.queue.storage = "b";
  auto next = make(second, old.get());
  next->take_over();
  next->consume(spans(1));
  run();
  EXPECT_EQ(second.items, 1u);
  first.away = false;
  host.scheduler().advance(seconds(6));
  EXPECT_EQ(first.items, 6u);
  end(old);
}

}  // namespace
}  // namespace sonde::pipeline
