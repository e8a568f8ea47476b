// SPDX-License-Identifier: Apache-2.0
// A sending queue goes on under an exporter that has, had or gets a storage.
#include "pipeline/queue/testing/reload_fixture.h"

namespace sonde::pipeline {
namespace {

using std::chrono::seconds;

TEST_F(SendingQueueReloadTest, AQueueOnDiskStaysOnDisk) {
  settings.queue.storage = "a";
  settings.queue.num_consumers = 1;
  first.away = second.away = true;
  auto old = filled(3);
  auto next = successor(*old);
  end(old);
  next->consume(spans(2));
  run();
  // As after a kill: what the directory holds is all of it.
  end(next);
  EXPECT_EQ(sent_by_the_next_process(), 8u);
}

TEST_F(SendingQueueReloadTest, WhatWasInMemoryIsOnDiskFromNowOn) {
  settings.queue.num_consumers = 1;
  first.hold = second.hold = true;
  auto old = filled(3);
  settings.queue.storage = "a";
  auto next = successor(*old);
  first.held[0](Sent{});
  end(old);
  run();
  next->stop();
  next.reset();
  EXPECT_EQ(sent_by_the_next_process(), 4u);
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
    auto next = successor(*old);
    end(old);
    next->stop();
    run();
    EXPECT_TRUE(next->drained());
    next.reset();
    EXPECT_EQ(dropped("shutdown"), 0u);
    EXPECT_EQ(sent_by_the_next_process(), 20u);
    EXPECT_EQ(sent_by_the_next_process(), 0u);
  }
}

TEST_F(SendingQueueReloadTest, WhatIsUnderWayCompressedIsOnDiskFromNowOn) {
  first.away = second.away = true;
  auto old = make(first);
  for (int i = 1; i < 4; ++i) old->consume(sealed(i));
  run();
  settings.queue.storage = "a";
  auto next = successor(*old);
  end(old);
  end(next);
  EXPECT_EQ(sent_by_the_next_process(), 6u);
}

TEST_F(SendingQueueReloadTest, WhatTheDiskHasNoRoomForIsSentOrCountedAtTheEnd) {
  settings.queue.num_consumers = 2;
  first.away = second.away = true;
  auto old = filled(5);
  settings.queue.storage = "a";
  a.bound = 1;
  auto next = successor(*old);
  end(old);
  next->stop();
  run();
  EXPECT_TRUE(next->drained());
  EXPECT_EQ(dropped("shutdown"), 10u);
  EXPECT_GE(second.requests, 5);  // Each had one more chance.
}

TEST_F(SendingQueueReloadTest, AQueueInAnotherDirectoryIsTheOldOnesUntilItsEnd) {
  settings.queue.storage = "a";
  settings.queue.num_consumers = 1;
  first.away = true;
  auto old = filled(3);
  settings.queue.storage = "b";
  auto next = successor(*old);
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
