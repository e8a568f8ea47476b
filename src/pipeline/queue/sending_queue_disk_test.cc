// SPDX-License-Identifier: Apache-2.0
// A sending queue on disk: what was acknowledged is sent, whatever happened in between.
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>

#include "base/testing/eventually.h"
#include "base/testing/process_limit.h"
#include "base/testing/temporary_directory.h"
#include "pipeline/introspection/own_telemetry.h"
#include "pipeline/otlp_export.h"
#include "pipeline/queue/queued_batch.h"
#include "pipeline/queue/sending_queue.h"
#include "pipeline/test_host.h"
#include "pipeline/testing/folder_storage.h"
#include "pipeline/testing/spans.h"

namespace sonde::pipeline {
namespace {

using std::chrono::seconds;

class SendingQueueDiskTest : public testing::Test {
 protected:
  SendingQueueDiskTest() : storage(directory.path()) {
    Ack::abort_on_lost(true);
    settings.retry.randomization_factor = 0;
    settings.queue.storage = "file_storage";
    host.extensions["file_storage"] = &storage;
  }
  std::string id() const { return testing::UnitTest::GetInstance()->current_test_info()->name(); }
  std::unique_ptr<SendingQueue> make() {
    auto queue = std::make_unique<SendingQueue>(host.scheduler(), id(), settings,
                                                [this](const Batch& batch, SendDone done) {
                                                  bodies.emplace_back(joined(batch).view());
                                                  contexts.push_back(batch.context);
                                                  sizes.push_back(batch.items());
                                                  if (hold) {
                                                    held.push_back(std::move(done));
                                                  } else {
                                                    done(answer);
                                                  }
                                                });
    const auto restored = queue->restore(host);
    EXPECT_TRUE(restored) << (restored ? "" : restored.error().message);
    return queue;
  }
  // What kill -9 leaves: the directory as it is now, beside which the process just ends.
  void kill(std::unique_ptr<SendingQueue>& queue) {
    constexpr auto kAll = std::filesystem::copy_options::recursive;
    std::filesystem::copy(directory.path(), saved.path(), kAll);
    queue.reset();
    std::filesystem::remove_all(directory.path());
    std::filesystem::copy(saved.path(), directory.path(), kAll);
  }
  // The process ends, and the next one starts on the same directory: `bodies`, `contexts` and
  // `sizes` are what that one sends.
  void start_next_process(std::unique_ptr<SendingQueue>& queue) {
    queue.reset();
    bodies.clear();
    contexts.clear();
    sizes.clear();
    queue = make();
    host.scheduler().run_ready();
  }
  // Requests of 8 MiB: a queue keeps four of them in memory beside the disk.
  static std::string large_name(int i) { return std::string(8 << 20, static_cast<char>('a' + i)); }
  void consume_large(SendingQueue& queue, int count) {
    for (int i = 0; i < count; ++i) queue.consume(spans(1, ack(), large_name(i)));
  }
  // Those that come meanwhile too.
  void answer_all_held() {
    for (size_t i = 0; i < held.size(); ++i) {
      held[i](Sent{});
      host.scheduler().run_ready();
    }
  }
  Ack ack() {
    return Ack::make(nullptr, [this](Outcome outcome) { outcomes.push_back(std::move(outcome)); });
  }
  std::string body(const std::string& name) {
    return std::string(spans(1, {}, name).chunks[0].view());
  }
  uint64_t dropped(std::string_view reason) {
    return dropped_counter(id(), Signal::Traces, reason).value();
  }

  TemporaryDirectory directory;
  TemporaryDirectory saved;
  FolderStorage storage;
  TestHost host;
  SendingSettings settings;
  bool hold = false;
  Result<Sent> answer = Sent{};
  std::vector<std::string> bodies;
  std::vector<std::shared_ptr<const RequestContext>> contexts;
  std::vector<size_t> sizes;
  std::vector<SendDone> held;
  std::vector<Outcome> outcomes;
};

TEST_F(SendingQueueDiskTest, SendsWhatAKilledProcessHadAcknowledged) {
  hold = true;
  settings.queue.num_consumers = 2;
  auto queue = make();
  for (const char* name : {"a", "b", "c", "d"}) queue->consume(spans(1, ack(), name));
  EXPECT_EQ(outcomes.size(), 4u);
  held[1](Sent{});  // Out of order: "b" ends while "a" is still in flight.
  host.scheduler().run_ready();
  kill(queue);
  hold = false;
  start_next_process(queue);
  EXPECT_EQ(bodies, (std::vector<std::string>{body("a"), body("c"), body("d")}));
  EXPECT_TRUE(queue->drained());
  start_next_process(queue);
  EXPECT_TRUE(bodies.empty());
}

TEST_F(SendingQueueDiskTest, KeepsWhatIsLeftAtShutdown) {
  hold = true;
  settings.queue.num_consumers = 1;
  auto queue = make();
  for (const char* name : {"a", "b"}) queue->consume(spans(1, ack(), name));
  queue->stop();
  EXPECT_FALSE(queue->drained());
  held[0](fail(ErrorKind::Unavailable, "gone"));
  host.scheduler().run_ready();
  EXPECT_TRUE(queue->drained());
  EXPECT_EQ(bodies.size(), 1u);
  queue->consume(spans(1, ack()));
  EXPECT_EQ(outcomes.back().kind, Outcome::Failed);
  queue.reset();
  EXPECT_EQ(dropped("shutdown"), 1u);  // The one that came too late, and its sender knows.
  hold = false;
  start_next_process(queue);
  EXPECT_EQ(bodies, (std::vector<std::string>{body("a"), body("b")}));
}

TEST_F(SendingQueueDiskTest, ARetryIsInterruptedByShutdownAndKept) {
  auto queue = make();
  answer = fail(ErrorKind::Unavailable, "refused");
  queue->consume(spans(1, {}, "a"));
  host.scheduler().run_ready();
  queue->stop();
  EXPECT_TRUE(queue->drained());
  EXPECT_EQ(bodies.size(), 1u);
  answer = Sent{};
  start_next_process(queue);
  EXPECT_EQ(bodies.size(), 1u);
  EXPECT_EQ(dropped("shutdown"), 0u);
}

TEST_F(SendingQueueDiskTest, WhatWasGivenUpDoesNotComeAgain) {
  auto queue = make();
  answer = fail(ErrorKind::Invalid, "400");
  queue->consume(spans(2));
  host.scheduler().run_ready();
  EXPECT_EQ(dropped("permanent"), 2u);
  start_next_process(queue);
  EXPECT_TRUE(bodies.empty());
}

TEST_F(SendingQueueDiskTest, RefusesWhenTheDiskIsFullAndGoesOnLater) {
  storage.bound = 1000;
  settings.queue.num_consumers = 1;
  hold = true;
  auto queue = make();
  queue->consume(spans(10, ack()));
  for (int i = 0; i < 3; ++i) queue->consume(spans(10, ack()));
  ASSERT_GT(outcomes.size(), 1u);
  EXPECT_EQ(outcomes[0].kind, Outcome::Delivered);
  EXPECT_EQ(outcomes.back().error.kind, ErrorKind::Exhausted);
  EXPECT_GT(outcomes.back().error.retry_after, Duration{});
  EXPECT_GT(dropped("disk_full"), 0u);
  EXPECT_EQ(exporter_counter("otelcol_exporter_enqueue_failed_", Signal::Traces, id()).value(),
            dropped("disk_full"));
  answer_all_held();
  EXPECT_TRUE(queue->drained());
}

TEST_F(SendingQueueDiskTest, WithFsyncTheSenderIsAnsweredWhenTheDiskHasIt) {
  storage.sync = true;
  auto queue = make();
  for (int i = 0; i < 5; ++i) queue->consume(spans(1, ack()));
  EXPECT_TRUE(outcomes.empty());
  ASSERT_TRUE(eventually([&] {
    host.scheduler().run_ready();
    return outcomes.size() == 5;
  }));
  for (const Outcome& outcome : outcomes) EXPECT_EQ(outcome.kind, Outcome::Delivered);
}

TEST_F(SendingQueueDiskTest, WithFsyncWhoStillWaitsAtTheEndIsAnswered) {
  storage.sync = true;
  auto queue = make();
  for (int i = 0; i < 3; ++i) queue->consume(spans(1, ack()));
  queue.reset();
  ASSERT_EQ(outcomes.size(), 3u);
  for (const Outcome& outcome : outcomes) EXPECT_EQ(outcome.kind, Outcome::Delivered);
}

TEST_F(SendingQueueDiskTest, ReadsBackWhatMemoryDoesNotHold) {
  hold = true;
  settings.queue.num_consumers = 1;
  auto queue = make();
  consume_large(*queue, 5);
  answer_all_held();
  ASSERT_EQ(bodies.size(), 5u);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(bodies[i] == body(large_name(i))) << i;
  EXPECT_EQ(sizes, std::vector<size_t>(5, 1));
}

TEST_F(SendingQueueDiskTest, KeepsTheMetadataOfTheSender) {
  hold = true;
  auto queue = make();
  auto context = std::make_shared<RequestContext>();
  context->metadata = {{"tenant", "blue"}, {"tenant", "green"}, {"empty", ""}};
  context->peer = "10.0.0.1:4000";
  context->auth = {{"subject", "secret"}};
  Batch batch = spans(3);
  batch.context = context;
  queue->consume(std::move(batch));
  start_next_process(queue);
  ASSERT_EQ(contexts.size(), 1u);
  ASSERT_NE(contexts[0], nullptr);
  EXPECT_EQ(contexts[0]->metadata, context->metadata);
  EXPECT_EQ(contexts[0]->peer, context->peer);
  EXPECT_TRUE(contexts[0]->auth.empty());
  EXPECT_EQ(sizes, std::vector<size_t>{3});
}

TEST_F(SendingQueueDiskTest, ARequestOfWhichAPartWasSentComesAgainAsAWhole) {
  settings.queue.batch = QueueBatchSettings{.min_size = 10, .max_size = 10};
  hold = true;
  auto queue = make();
  queue->consume(spans(20));
  held[0](Sent{});
  queue->stop();
  held[1](fail(ErrorKind::Unavailable, "gone"));
  host.scheduler().run_ready();
  start_next_process(queue);
  EXPECT_EQ(sizes, (std::vector<size_t>{10, 10}));
}

TEST_F(SendingQueueDiskTest, CountsWhatTheDiskHasDamaged) {
  hold = true;
  auto queue = make();
  for (const char* name : {"a", "b", "c"}) queue->consume(spans(1, {}, name));
  queue.reset();
  const auto file = directory.path() / id() / "traces" / "0000000000000001.log";
  {
    std::fstream segment(file, std::ios::in | std::ios::out | std::ios::binary);
    segment.seekp(60);
    segment.put('~').put('~');
  }
  start_next_process(queue);
  EXPECT_EQ(bodies, (std::vector<std::string>{body("b"), body("c")}));
  EXPECT_GT(
      counter("sonde_queue_damaged_bytes_total", "", {{"exporter", id()}, {"data_type", "traces"}})
          .value(),
      0u);
}

TEST_F(SendingQueueDiskTest, WhatCannotBeReadNowIsReadLater) {
  hold = true;
  settings.queue.num_consumers = 1;
  auto queue = make();
  consume_large(*queue, 8);
  hold = false;
  {
    const ProcessLimit none(RLIMIT_NOFILE, 0);
    held[0](Sent{});
    host.scheduler().run_ready();
    EXPECT_EQ(bodies.size(), 4u);  // What memory holds too.
    EXPECT_EQ(queue->size(), 4u);
  }
  host.scheduler().advance(seconds(2));
  ASSERT_EQ(bodies.size(), 8u);
  for (size_t i = 0; i < 8; ++i) EXPECT_EQ(bodies[i].size(), body(large_name(0)).size());
  EXPECT_EQ(dropped("damaged"), 0u);
  EXPECT_TRUE(queue->drained());
}

TEST_F(SendingQueueDiskTest, WhatCannotBeReadForLongStaysForTheNextStart) {
  hold = true;
  settings.queue.num_consumers = 1;
  auto queue = make();
  consume_large(*queue, 6);
  hold = false;
  {
    const ProcessLimit none(RLIMIT_NOFILE, 0);
    held[0](Sent{});
    for (int i = 0; i < 100; ++i) host.scheduler().advance(seconds(1));
    EXPECT_EQ(bodies.size(), 4u);
    EXPECT_TRUE(queue->drained());
  }
  queue->consume(spans(1));
  host.scheduler().run_ready();
  EXPECT_EQ(bodies.size(), 5u);
  EXPECT_EQ(dropped("damaged"), 0u);
  start_next_process(queue);
  EXPECT_EQ(bodies.size(), 2u);
}

// Nothing is in flight then whose end would let them in.
TEST_F(SendingQueueDiskTest, WhoWaitsForRoomGetsThatOfWhatTheDiskHasLost) {
  hold = true;
  settings.queue.num_consumers = 1;
  settings.queue.queue_size = 10;
  settings.queue.sizer = "items";
  settings.queue.block_on_overflow = true;
  auto queue = make();
  consume_large(*queue, 6);
  queue->consume(spans(9, ack()));
  EXPECT_EQ(outcomes.size(), 6u);
  for (const auto& file : std::filesystem::directory_iterator(directory.path() / id() / "traces")) {
    std::filesystem::remove(file);
  }
  answer_all_held();
  EXPECT_EQ(dropped("damaged"), 2u);
  EXPECT_EQ(sizes, (std::vector<size_t>{1, 1, 1, 1, 9}));
  EXPECT_EQ(outcomes.size(), 7u);
  EXPECT_TRUE(queue->drained());
}

TEST_F(SendingQueueDiskTest, AStorageThatIsNotThereStopsTheStart) {
  settings.queue.storage = "file_storage/other";
  SendingQueue queue(host.scheduler(), id(), settings, [](const Batch&, const SendDone&) {});
  const auto restored = queue.restore(host);
  ASSERT_FALSE(restored);
  EXPECT_NE(restored.error().message.find("file_storage/other"), std::string::npos);
}

TEST(QueuedBatch, RefusesWhatDoesNotParse) {
  const std::string whole = encode_queued_head(spans(1)) + "body";
  EXPECT_TRUE(decode_queued(Signal::Traces, Bytes::copy(whole)));
  for (size_t cut = 0; cut < whole.size() - 4; ++cut) {
    EXPECT_FALSE(decode_queued(Signal::Traces, Bytes::copy(whole.substr(0, cut)))) << cut;
  }
  std::string other = whole;
  other[0] = 9;
  EXPECT_FALSE(decode_queued(Signal::Traces, Bytes::copy(other)));
}

}  // namespace
}  // namespace sonde::pipeline
