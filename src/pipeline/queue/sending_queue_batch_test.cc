// SPDX-License-Identifier: Apache-2.0
// Requests that are put together, and cut, when they leave the queue.
#include <gtest/gtest.h>

#include "base/memory_ledger.h"
#include "base/virtual_scheduler.h"
#include "data/span_writer.h"
#include "pipeline/introspection/own_telemetry.h"
#include "pipeline/otlp_export.h"
#include "pipeline/queue/sending_queue.h"
#include "pipeline/testing/spans.h"

namespace sonde::pipeline {
namespace {

using std::chrono::milliseconds;

class SendingQueueBatchTest : public testing::Test {
 protected:
  SendingQueueBatchTest() {
    Ack::abort_on_lost(true);
    settings.queue.batch = QueueBatchSettings{.min_size = 10};
    settings.queue.wait_for_result = true;
  }
  std::string id() const { return testing::UnitTest::GetInstance()->current_test_info()->name(); }
  SendingQueue make() {
    return {scheduler, id(), settings, [this](const Batch& batch, SendDone done) {
              EXPECT_EQ(batch.items(), count_records(batch));
              sizes.push_back(batch.items());
              bytes.push_back(batch.bytes());
              contexts.push_back(batch.context);
              held.push_back(std::move(done));
            }};
  }
  Ack ack(int number) {
    return Ack::make(
        nullptr, [this, number](Outcome outcome) { outcomes.emplace_back(number, outcome.kind); });
  }
  void answer(size_t request, Result<Sent> result) {
    held[request](std::move(result));
    scheduler.run_ready();
  }

  VirtualScheduler scheduler;
  SendingSettings settings;
  std::vector<size_t> sizes;
  std::vector<size_t> bytes;
  std::vector<std::shared_ptr<const RequestContext>> contexts;
  std::vector<SendDone> held;
  std::vector<std::pair<int, Outcome::Kind>> outcomes;
};

TEST_F(SendingQueueBatchTest, JoinsUntilThereIsEnough) {
  SendingQueue queue = make();
  for (int i = 0; i < 4; ++i) queue.consume(spans(3, ack(i)));
  EXPECT_EQ(sizes, std::vector<size_t>{12});
  EXPECT_TRUE(outcomes.empty());
  answer(0, Sent{});
  EXPECT_EQ(outcomes.size(), 4u);
  for (const auto& [number, kind] : outcomes) EXPECT_EQ(kind, Outcome::Delivered) << number;
  EXPECT_TRUE(queue.drained());
}

TEST_F(SendingQueueBatchTest, TellsTheSenderOfWhatIsNoOtlpWhereOverflowIsDropped) {
  settings.queue.drop_on_overflow = true;
  SendingQueue queue = make();
  TraceBatchBuilder builder;
  builder.span({.span_id = "abcd", .name = "bad"});
  Outcome outcome;
  queue.consume(builder.build(Ack::make(nullptr, [&](Outcome done) { outcome = done; })));
  EXPECT_EQ(outcome.kind, Outcome::Failed);
  EXPECT_EQ(outcome.error.kind, ErrorKind::Invalid);
  EXPECT_NE(outcome.error.message.find("field 2 of Span"), std::string::npos);
}

// What the back end cannot parse would take the requests of the others with it.
TEST_F(SendingQueueBatchTest, RefusesWhatIsNoOtlpAndSendsWhatOthersSent) {
  TraceBatchBuilder builder;
  builder.span({.trace_id = "abcd", .name = "bad"});
  const Batch bad = builder.build();
  const auto give_bad = [&](SendingQueue& queue, int number) {
    queue.consume(Batch(Signal::Traces, bad.chunks, ack(number)));
  };
  SendingQueue queue = make();
  queue.consume(spans(5, ack(0)));
  give_bad(queue, 1);
  EXPECT_EQ(outcomes, (std::vector<std::pair<int, Outcome::Kind>>{{1, Outcome::Failed}}));
  EXPECT_EQ(dropped_counter(id(), Signal::Traces, "malformed").value(), 1u);
  queue.consume(spans(5, ack(2)));
  EXPECT_EQ(sizes, std::vector<size_t>{10});
  answer(0, Sent{});
  EXPECT_EQ(outcomes.size(), 3u);
  EXPECT_EQ(outcomes.back().second, Outcome::Delivered);
  EXPECT_TRUE(queue.drained());

  // Alone it concerns its own sender, who is told what the back end says.
  settings.queue.batch.reset();
  SendingQueue alone = make();
  give_bad(alone, 3);
  EXPECT_EQ(sizes.size(), 2u);
  answer(1, fail(ErrorKind::Invalid, "400"));
  EXPECT_EQ(outcomes.back(), (std::pair<int, Outcome::Kind>{3, Outcome::Failed}));
}

TEST_F(SendingQueueBatchTest, WaitsNoLongerThanTheTimeout) {
  SendingQueue queue = make();
  queue.consume(spans(3));
  scheduler.advance(milliseconds(150));
  queue.consume(spans(2));
  scheduler.advance(milliseconds(49));
  EXPECT_TRUE(sizes.empty());
  scheduler.advance(milliseconds(1));
  EXPECT_EQ(sizes, std::vector<size_t>{5});
  queue.consume(spans(1));
  scheduler.advance(milliseconds(199));
  EXPECT_EQ(sizes.size(), 1u);
  scheduler.advance(milliseconds(1));
  EXPECT_EQ(sizes.size(), 2u);
  for (size_t i = 0; i < 2; ++i) answer(i, Sent{});
}

TEST_F(SendingQueueBatchTest, CutsAtTheLargestSize) {
  settings.queue.batch->max_size = 12;
  SendingQueue queue = make();
  queue.consume(spans(8, ack(0)));
  queue.consume(spans(30, ack(1)));
  EXPECT_EQ(sizes, (std::vector<size_t>{12, 12, 12}));
  scheduler.advance(milliseconds(200));
  EXPECT_EQ(sizes, (std::vector<size_t>{12, 12, 12, 2}));
  answer(0, Sent{});
  EXPECT_EQ(outcomes, (std::vector<std::pair<int, Outcome::Kind>>{{0, Outcome::Delivered}}));
  answer(1, fail(ErrorKind::Invalid, "400"));
  answer(2, Sent{});
  EXPECT_EQ(outcomes.size(), 1u);
  answer(3, Sent{});
  // The sender of a request of which a part was refused is told so, when all of it has ended.
  EXPECT_EQ(outcomes.back(), (std::pair<int, Outcome::Kind>{1, Outcome::Failed}));
  EXPECT_TRUE(queue.drained());
  EXPECT_EQ(exporter_counter("otelcol_exporter_sent_", Signal::Traces, id()).value(), 26u);
  EXPECT_EQ(dropped_counter(id(), Signal::Traces, "permanent").value(), 12u);
}

TEST_F(SendingQueueBatchTest, ACutRequestTakesItsRoomUntilItsLastPartHasEnded) {
  settings.queue.queue_size = 1;
  settings.queue.batch->min_size = settings.queue.batch->max_size = 10;
  SendingQueue queue = make();
  queue.consume(spans(20, ack(0)));
  EXPECT_EQ(sizes, (std::vector<size_t>{10, 10}));
  answer(0, Sent{});
  queue.consume(spans(10, ack(1)));
  EXPECT_EQ(outcomes, (std::vector<std::pair<int, Outcome::Kind>>{{1, Outcome::Failed}}));
  answer(1, Sent{});
  queue.consume(spans(10));
  EXPECT_EQ(sizes.size(), 3u);
  answer(2, Sent{});
}

TEST_F(SendingQueueBatchTest, CountsBytesWhereTheSizerSaysSo) {
  const size_t ten = spans(10).bytes();
  settings.queue.batch->sizer = "bytes";
  settings.queue.batch->min_size = ten;
  settings.queue.batch->max_size = ten + ten / 2;
  SendingQueue queue = make();
  queue.consume(spans(9));
  EXPECT_TRUE(sizes.empty());
  queue.consume(spans(40));
  queue.stop();
  size_t total = 0;
  for (size_t i = 0; i < sizes.size(); ++i) {
    EXPECT_LE(bytes[i], ten + ten / 2);
    total += sizes[i];
  }
  EXPECT_EQ(total, 49u);
  for (size_t i = 0; i < held.size(); ++i) answer(i, Sent{});
  EXPECT_TRUE(queue.drained());
}

TEST_F(SendingQueueBatchTest, ARecordThatIsLargerThanTheLargestSizeGoesAlone) {
  settings.queue.batch->sizer = "bytes";
  settings.queue.batch->min_size = 10;
  settings.queue.batch->max_size = 20;
  SendingQueue queue = make();
  queue.consume(spans(1, ack(0)));
  queue.consume(spans(2, ack(1)));
  EXPECT_EQ(sizes, (std::vector<size_t>{1, 1, 1}));
  for (size_t i = 0; i < 3; ++i) answer(i, Sent{});
  EXPECT_EQ(outcomes.size(), 2u);
}

TEST_F(SendingQueueBatchTest, RefusesWhatThereIsNoMemoryToCut) {
  TraceBatchBuilder builder;
  builder.resource({{"large", std::string(200'000, 'x')}});
  for (int i = 0; i < 5'000; ++i) builder.span({.name = "s"});
  const Batch heavy = builder.build();
  MemoryLedger& ledger = MemoryLedger::process();
  const size_t limit = ledger.limit();
  ledger.set_limit(size_t{100} << 20);
  for (const std::string_view sizer : {"items", "bytes"}) {
    settings.queue.batch->sizer = sizer;
    settings.queue.batch->min_size = settings.queue.batch->max_size = 10;
    SendingQueue queue = make();
    Outcome outcome;
    queue.consume(Batch(Signal::Traces, heavy.chunks,
                        Ack::make(nullptr, [&](Outcome done) { outcome = std::move(done); })));
    EXPECT_EQ(outcome.kind, Outcome::Failed);
    EXPECT_EQ(outcome.error.kind, ErrorKind::Invalid);
    EXPECT_TRUE(queue.drained());
  }
  ledger.set_limit(limit);
  EXPECT_TRUE(sizes.empty());
  EXPECT_EQ(dropped_counter(id(), Signal::Traces, "too_large").value(), 10'000u);
}

// Each part is made when its turn comes, and no more of them than a few at once.
TEST_F(SendingQueueBatchTest, HoldsFewPartsOfWhatRepeatsMuch) {
  settings.queue.batch->min_size = settings.queue.batch->max_size = 10;
  settings.queue.num_consumers = 1;
  TraceBatchBuilder builder;
  builder.resource({{"large", std::string(1'000'000, 'x')}});
  for (int i = 0; i < 500; ++i) builder.span({.name = "s"});
  SendingQueue queue = make();
  const size_t before = MemoryLedger::process().held();
  queue.consume(builder.build(ack(0)));
  size_t most = 0;
  for (size_t i = 0; i < 50; ++i) {
    ASSERT_EQ(sizes.size(), i + 1);
    most = std::max(most, MemoryLedger::process().held() - before);
    EXPECT_TRUE(outcomes.empty());
    answer(i, Sent{});
  }
  EXPECT_EQ(sizes, std::vector<size_t>(50, 10));
  EXPECT_LT(most, 6'000'000u);
  EXPECT_EQ(outcomes, (std::vector<std::pair<int, Outcome::Kind>>{{0, Outcome::Delivered}}));
  EXPECT_TRUE(queue.drained());
}

TEST_F(SendingQueueBatchTest, DropsMetadataThatDiffers) {
  const auto mine = std::make_shared<RequestContext>();
  SendingQueue queue = make();
  for (int i = 0; i < 2; ++i) {
    Batch batch = spans(5);
    batch.context = mine;
    queue.consume(std::move(batch));
  }
  for (int i = 0; i < 2; ++i) {
    Batch batch = spans(5);
    if (i == 0) batch.context = mine;
    queue.consume(std::move(batch));
  }
  ASSERT_EQ(contexts.size(), 2u);
  EXPECT_EQ(contexts[0], mine);
  EXPECT_EQ(contexts[1], nullptr);
  for (size_t i = 0; i < 2; ++i) answer(i, Sent{});
}

TEST_F(SendingQueueBatchTest, KeepsApartWhatThePartitionSays) {
  settings.queue.batch->partition.metadata_keys = {"Tenant"};
  SendingQueue queue = make();
  const auto from = [](std::string tenant, std::string host) {
    auto context = std::make_shared<RequestContext>();
    context->metadata = {{"host", std::move(host)}, {"tenant", std::move(tenant)}};
    return context;
  };
  const auto consume = [&](int count, std::shared_ptr<const RequestContext> context) {
    Batch batch = spans(count);
    batch.context = std::move(context);
    queue.consume(std::move(batch));
  };
  consume(6, from("blue", "a"));
  consume(6, from("green", "a"));
  consume(6, nullptr);
  EXPECT_TRUE(sizes.empty());
  consume(5, from("blue", "b"));
  ASSERT_EQ(sizes, std::vector<size_t>{11});
  ASSERT_NE(contexts[0], nullptr);
  EXPECT_EQ(contexts[0]->metadata,
            (std::vector<std::pair<std::string, std::string>>{{"tenant", "blue"}}));
  scheduler.advance(milliseconds(200));
  EXPECT_EQ(sizes, (std::vector<size_t>{11, 6, 6}));
  // A line that was left is begun anew.
  consume(10, from("blue", "c"));
  EXPECT_EQ(sizes.size(), 4u);
  EXPECT_EQ(queue.size(), 4u);
  for (size_t i = 0; i < 4; ++i) answer(i, Sent{});
  EXPECT_TRUE(queue.drained());
}

TEST(SendingSettings, RefusesWhatContradictsItself) {
  SendingSettings settings;
  EXPECT_TRUE(check_sending(settings));
  settings.queue.batch = QueueBatchSettings{};
  EXPECT_TRUE(check_sending(settings));
  settings.queue.batch->max_size = 100;
  EXPECT_FALSE(check_sending(settings));
  settings.queue.batch->max_size = 0;
  settings.queue.sizer = "items";
  EXPECT_FALSE(check_sending(settings));
  settings.queue.enabled = false;
  EXPECT_TRUE(check_sending(settings));
  settings = {};
  settings.queue.storage = "file_storage";
  settings.queue.wait_for_result = true;
  EXPECT_FALSE(check_sending(settings));
}

}  // namespace
}  // namespace sonde::pipeline
