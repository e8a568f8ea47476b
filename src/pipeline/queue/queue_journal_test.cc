// SPDX-License-Identifier: Apache-2.0
// When the journal of a queue waits for the disk, and what it holds of the process meanwhile.
#include "pipeline/queue/queue_journal.h"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>

#include "base/testing/open_files.h"
#include "base/testing/temporary_directory.h"
#include "base/virtual_scheduler.h"
#include "pipeline/testing/folder_storage.h"
#include "pipeline/testing/spans.h"

namespace sonde::pipeline {
namespace {

using std::chrono::seconds;

// Runs what other threads post when the test says so: until then the journal does not know that
// the disk is done.
class HoldingScheduler final : public Scheduler {
 public:
  void post(Task task) override {
    const std::lock_guard lock(mutex_);
    held_.push_back(std::move(task));
    changed_.notify_one();
  }
  TimerId after(Duration delay, Task task) override { return timers.after(delay, std::move(task)); }
  void cancel(TimerId id) override { timers.cancel(id); }
  const Clock& clock() const override { return timers.clock(); }

  // False: nothing was posted in half a minute.
  bool run_next() {
    Task task;
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait_for(lock, seconds(30), [this] { return !held_.empty(); })) return false;
      task = std::move(held_.front());
      held_.pop_front();
    }
    task();
    return true;
  }

  VirtualScheduler timers;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> held_;
};

class QueueJournalTest : public testing::Test {
 protected:
  std::unique_ptr<QueueJournal> open() {
    auto journal = QueueJournal::open(storage, "exporter", Signal::Traces, scheduler);
    EXPECT_TRUE(journal) << (journal ? "" : journal.error().message);
    return journal ? std::move(*journal) : nullptr;
  }
  void append(QueueJournal& journal, int count, size_t bytes = 10) {
    for (int i = 0; i < count; ++i) {
      const auto place = journal.append(spans(1, {}, std::string(bytes, 'x')));
      ASSERT_TRUE(place) << place.error().message;
    }
  }
  size_t descriptors() const { return open_files_below(directory.path()).size(); }

  TemporaryDirectory directory;
  FolderStorage storage{directory.path()};
  HoldingScheduler scheduler;
};

// The lock, and a file each for what is written, read and marked.
constexpr size_t kDescriptors = 4;

TEST_F(QueueJournalTest, ABacklogHoldsNoDescriptorASegmentWhereNobodySyncs) {
  storage.bound = 16 << 20;  // Segments of 1 MiB.
  auto journal = open();
  append(*journal, 60, 100'000);
  EXPECT_LE(descriptors(), kDescriptors);
}

TEST_F(QueueJournalTest, SettingsThatChangeSayWhetherSegmentsAreKeptForTheDisk) {
  storage.bound = 160 << 10;  // Segments of 10 KiB.
  auto journal = open();
  append(*journal, 5, 9'000);
  EXPECT_LE(descriptors(), kDescriptors);
  storage.sync = true;
  journal->adjust(storage);
  append(*journal, 5, 9'000);
  EXPECT_GE(descriptors(), 6u);
  bool delivered = false;
  journal->acknowledge(Ack::make(
      nullptr, [&](const Outcome& outcome) { delivered = outcome.kind == Outcome::Delivered; }));
  EXPECT_FALSE(delivered);
  // Who waits by the rule of before is answered by it.
  storage.sync = false;
  journal->adjust(storage);
  ASSERT_TRUE(scheduler.run_next());
  EXPECT_TRUE(delivered);
  append(*journal, 5, 9'000);
  journal.reset();
  EXPECT_EQ(descriptors(), 0u);
  journal = open();
  EXPECT_EQ(journal->take_unfinished().size(), 15u);
}

TEST_F(QueueJournalTest, SyncsAtTheIntervalWhatWasAppended) {
  storage.interval = seconds(1);
  auto journal = open();
  append(*journal, 2);
  EXPECT_TRUE(journal->settled());
  scheduler.timers.advance(seconds(1));
  EXPECT_FALSE(journal->settled());
  ASSERT_TRUE(scheduler.run_next());
  EXPECT_TRUE(journal->settled());
  EXPECT_EQ(scheduler.timers.pending_timers(), 0u);
}

TEST_F(QueueJournalTest, SyncsAgainWhatWasAppendedDuringASyncThatTookTheInterval) {
  storage.interval = seconds(1);
  auto journal = open();
  append(*journal, 1);
  scheduler.timers.advance(seconds(1));
  append(*journal, 1);
  EXPECT_EQ(scheduler.timers.pending_timers(), 1u);
  scheduler.timers.advance(seconds(1));  // The first one still runs.
  EXPECT_EQ(scheduler.timers.pending_timers(), 0u);
  ASSERT_TRUE(scheduler.run_next());
  EXPECT_FALSE(journal->settled());
  ASSERT_TRUE(scheduler.run_next());
  EXPECT_TRUE(journal->settled());
}

TEST_F(QueueJournalTest, SyncsBeforeALongIntervalHoldsManyDescriptors) {
  storage.interval = std::chrono::hours(1);
  auto journal = open();
  append(*journal, 7, 17 << 20);  // Each has a segment of its own.
  EXPECT_TRUE(journal->settled());
  append(*journal, 1, 17 << 20);
  EXPECT_FALSE(journal->settled());
  ASSERT_TRUE(scheduler.run_next());
  append(*journal, 1);
  EXPECT_TRUE(journal->settled());
}

TEST_F(QueueJournalTest, AnotherIntervalSyncsWhatWaitedForTheOneBefore) {
  storage.interval = std::chrono::hours(1);
  auto journal = open();
  append(*journal, 1);
  journal->adjust(storage);
  EXPECT_TRUE(journal->settled());
  storage.interval = seconds(1);
  journal->adjust(storage);
  EXPECT_FALSE(journal->settled());
  ASSERT_TRUE(scheduler.run_next());
  append(*journal, 1);
  scheduler.timers.advance(seconds(1));
  EXPECT_FALSE(journal->settled());
  ASSERT_TRUE(scheduler.run_next());
  EXPECT_EQ(scheduler.timers.pending_timers(), 0u);
}

}  // namespace
}  // namespace sonde::pipeline
