// SPDX-License-Identifier: Apache-2.0
// What a SegmentLog holds of the disk and of the process: never more than its bound, and what is
// finished is given back while it runs.
#include <gtest/gtest.h>

#include <deque>
#include <optional>
#include <random>
#include <string>

#include "base/segment_file.h"
#include "base/segment_log.h"
#include "base/testing/open_files.h"
#include "base/testing/process_limit.h"
#include "base/testing/temporary_directory.h"

namespace sonde {
namespace {

class SegmentLogBoundsTest : public testing::Test {
 protected:
  std::unique_ptr<SegmentLog> open() {
    auto log = SegmentLog::open(directory.path(), options);
    EXPECT_TRUE(log) << (log ? "" : log.error().message);
    return log ? std::move(*log) : nullptr;
  }
  static Result<LogPosition> append(SegmentLog& log, size_t bytes) {
    const std::string text(bytes, 'x');
    const std::string_view parts[] = {text};
    return log.append(parts);
  }

  size_t descriptors() const { return open_files_below(directory.path()).size(); }

  TemporaryDirectory directory;
  SegmentLogOptions options;
};

// The lock, and a file each for what is written, read and marked.
constexpr size_t kDescriptors = 4;

TEST_F(SegmentLogBoundsTest, KeepsNoDescriptorOfADeletedSegmentThoughNobodySyncs) {
  options.segment_bytes = 200;
  auto log = open();
  for (int i = 0; i < 1'000; ++i) {
    const auto first = append(*log, 50);
    const auto second = append(*log, 50);
    ASSERT_TRUE(log->read(*first));
    log->finish(*second);
    log->finish(*first);
    ASSERT_LE(descriptors(), kDescriptors) << i;
  }
}

TEST_F(SegmentLogBoundsTest, KeepsNoDescriptorOfALiveSegmentThatNobodyWillSync) {
  options.segment_bytes = 200;
  options.collect_unsynced = false;
  auto log = open();
  std::vector<LogPosition> places;
  for (int i = 0; i < 1'000; ++i) places.push_back(*append(*log, 50));
  EXPECT_GT(log->segments(), 300u);
  EXPECT_LE(descriptors(), kDescriptors);
  EXPECT_EQ(log->unsynced(), 0u);
  // From now on somebody does: of what was written before, only the segment in use is taken.
  log->collect_unsynced(true);
  const size_t before = log->segments();
  for (int i = 0; i < 30; ++i) places.push_back(*append(*log, 50));
  const size_t begun = log->segments() - before;
  EXPECT_GE(log->unsynced(), begun);
  EXPECT_LE(log->unsynced(), begun + 1);
  {
    const LogSync sync = log->sync();
    EXPECT_GT(descriptors(), begun);
    EXPECT_TRUE(sync.run());
  }
  EXPECT_LE(descriptors(), kDescriptors);
  // What was collected before nobody syncs any more can still be synced.
  ASSERT_TRUE(append(*log, 50));
  log->collect_unsynced(false);
  EXPECT_EQ(log->unsynced(), 1u);
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(append(*log, 50));
  EXPECT_EQ(log->unsynced(), 1u);
  EXPECT_FALSE(log->sync().empty());
  EXPECT_EQ(log->unsynced(), 0u);
}

// A segment that is begun while nobody syncs must be found after a power cut that comes later.
TEST_F(SegmentLogBoundsTest, SyncsTheDirectoryOfASegmentThatWasBegunWhileNobodySynced) {
  options.collect_unsynced = false;
  auto log = open();
  ASSERT_TRUE(append(*log, 50));
  log->collect_unsynced(true);
  EXPECT_FALSE(log->sync().empty());
}

TEST_F(SegmentLogBoundsTest, GivesRoomBackThoughTheBoundIsLessThanASegment) {
  options.max_bytes = 10'000;
  auto log = open();
  for (int i = 0; i < 2'000; ++i) {
    const auto place = append(*log, 100);
    ASSERT_TRUE(place) << i << ": " << place.error().message;
    ASSERT_LE(log->bytes(), options.max_bytes);
    log->finish(*place);
  }
}

// A record of the bound's size leaves no room for a segment beside it.
TEST_F(SegmentLogBoundsTest, GivesRoomBackForRecordsAsLargeAsTheBound) {
  options.max_bytes = kSegmentHeadBytes + kRecordHeadBytes + 1'000;
  auto log = open();
  for (int i = 0; i < 100; ++i) {
    const auto place = append(*log, 1'000);
    ASSERT_TRUE(place) << i << ": " << place.error().message;
    EXPECT_EQ(append(*log, 1).error().kind, ErrorKind::Exhausted);
    log->finish(*place);
  }
  EXPECT_EQ(append(*log, 1'001).error().kind, ErrorKind::Exhausted);
  EXPECT_TRUE(append(*log, 1'000));
}

TEST_F(SegmentLogBoundsTest, GoesOnWhileOneRecordIsUnfinished) {
  options.max_bytes = 10'000;
  auto log = open();
  const auto stuck = append(*log, 100);
  ASSERT_TRUE(stuck);
  for (int i = 0; i < 2'000; ++i) {
    const auto place = append(*log, 100);
    ASSERT_TRUE(place) << i << ": " << place.error().message;
    log->finish(*place);
  }
  EXPECT_EQ(log->read(*stuck)->size(), 100u);
}

// As many as a sending queue has consumers, each in a segment of its own.
TEST_F(SegmentLogBoundsTest, GoesOnWhileTenRecordsInSegmentsOfTheirOwnAreUnfinished) {
  options.max_bytes = 100'000;
  auto log = open();
  std::vector<LogPosition> stuck;
  for (int i = 0; i < 5'000; ++i) {
    const auto place = append(*log, 100);
    ASSERT_TRUE(place) << i << ": " << place.error().message;
    if (stuck.size() < 10 && (stuck.empty() || stuck.back().segment != place->segment)) {
      stuck.push_back(*place);
    } else {
      log->finish(*place);
    }
  }
  EXPECT_EQ(stuck.size(), 10u);
}

TEST_F(SegmentLogBoundsTest, RefusesOnlyWhatUnfinishedRecordsLeaveNoRoomFor) {
  options.max_bytes = 100'000;
  auto log = open();
  std::minstd_rand random(11);
  std::deque<std::pair<LogPosition, size_t>> waiting;
  size_t held = 0;
  size_t refused = 0;
  for (int i = 0; i < 5'000; ++i) {
    const size_t size = random() % 2'000;
    if (const auto place = append(*log, size)) {
      waiting.emplace_back(*place, size);
      held += size;
    } else {
      ++refused;
      EXPECT_EQ(place.error().kind, ErrorKind::Exhausted);
      // Heads, marks, and the segment of which the oldest record is a part may take the rest.
      EXPECT_GT(held + size, options.max_bytes * 3 / 4) << i;
      for (size_t ended = random() % waiting.size() + 1; ended > 0; --ended) {
        log->finish(waiting.front().first);
        held -= waiting.front().second;
        waiting.pop_front();
      }
    }
  }
  EXPECT_GT(refused, 50u);
}

TEST_F(SegmentLogBoundsTest, AnotherBoundCountsForTheSegmentInUseToo) {
  auto log = open();
  for (int i = 0; i < 50; ++i) log->finish(*append(*log, 100));
  const auto stuck = append(*log, 100);
  ASSERT_TRUE(stuck);
  // The segment in use is larger than what is allowed from now on, and is not added to.
  log->limit(10'000);
  EXPECT_NE(append(*log, 100)->segment, stuck->segment);
  log->finish(*stuck);
  EXPECT_LT(log->bytes(), 1'000u);
  log->limit(100);
  for (int i = 0; i < 100; ++i) {
    const auto refused = append(*log, 100);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::Exhausted);
  }
  log->limit(10'000);
  EXPECT_TRUE(append(*log, 100));
}

TEST_F(SegmentLogBoundsTest, GivesRoomBackWhenTheDiskIsFull) {
  auto log = open();
  std::optional<ProcessLimit> small(std::in_place, RLIMIT_FSIZE, 2'000);
  int kept = 0;
  for (int i = 0; i < 30; ++i) {
    const auto place = append(*log, 500);
    if (!place) continue;
    ++kept;
    log->finish(*place);
  }
  small.reset();
  // Three fit into what the disk takes; who is refused then finds room when it comes back.
  EXPECT_GE(kept, 20);
}

}  // namespace
}  // namespace sonde
