// SPDX-License-Identifier: Apache-2.0
#include "base/segment_log.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <optional>
#include <random>
#include <string>

#include "base/segment_file.h"
#include "base/testing/process_limit.h"
#include "base/testing/temporary_directory.h"

namespace sonde {
namespace {

namespace fs = std::filesystem;

std::string contents(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void overwrite(const fs::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc).write(bytes.data(), std::ssize(bytes));
}

class SegmentLogTest : public testing::Test {
 protected:
  std::unique_ptr<SegmentLog> open() {
    auto log = SegmentLog::open(directory.path(), options);
    EXPECT_TRUE(log) << (log ? "" : log.error().message);
    return log ? std::move(*log) : nullptr;
  }
  static Result<LogPosition> append(SegmentLog& log, std::string_view text) {
    const std::string_view parts[] = {text};
    return log.append(parts);
  }
  // The texts of what is unfinished, in their order.
  static std::vector<std::string> unfinished(SegmentLog& log) {
    std::vector<std::string> out;
    for (const LogEntry& entry : log.take_unfinished()) {
      const auto bytes = log.read(entry.position);
      out.emplace_back(bytes ? std::string(bytes->view()) : "?");
    }
    return out;
  }
  size_t files() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(directory.path()), {}));
  }
  fs::path segment(int id) const { return directory.path() / fmt::format("{:016x}.log", id); }

  TemporaryDirectory directory;
  SegmentLogOptions options;
};

TEST_F(SegmentLogTest, GivesBackWhatWasNotFinished) {
  {
    auto log = open();
    const std::string_view parts[] = {"a", "", "lpha"};
    ASSERT_TRUE(log->append(parts));
    const auto beta = append(*log, "beta");
    ASSERT_TRUE(beta);
    EXPECT_EQ(log->read(*beta)->view(), "beta");
    ASSERT_TRUE(append(*log, ""));
    log->finish(*beta);
  }
  auto log = open();
  EXPECT_EQ(log->recovery().unfinished, 2u);
  EXPECT_EQ(log->recovery().damages, 0u);
  EXPECT_EQ(log->recovery().torn_bytes, 0u);
  EXPECT_EQ(unfinished(*log), (std::vector<std::string>{"alpha", ""}));
}

TEST_F(SegmentLogTest, LeavesNothingBehindWhenAllIsFinished) {
  {
    auto log = open();
    for (int i = 0; i < 3; ++i) log->finish(*append(*log, "x"));
  }
  EXPECT_EQ(files(), 0u);
  auto log = open();
  EXPECT_EQ(log->bytes(), 0u);
}

TEST_F(SegmentLogTest, DeletesASegmentWhenItsLastRecordIsFinishedInWhateverOrder) {
  options.segment_bytes = 100;
  auto log = open();
  std::vector<LogPosition> places;
  for (int i = 0; i < 30; ++i) places.push_back(*append(*log, std::string(30, 'x')));
  EXPECT_EQ(log->segments(), 15u);
  for (const LogPosition& place : places) EXPECT_LT(place.offset, 100u);
  std::ranges::shuffle(places, std::minstd_rand(7));
  for (const LogPosition& place : places) log->finish(place);
  EXPECT_EQ(log->segments(), 1u);
  log.reset();
  EXPECT_EQ(files(), 0u);
}

TEST_F(SegmentLogTest, GivesALargeRecordASegmentOfItsOwn) {
  options.segment_bytes = 100;
  auto log = open();
  ASSERT_TRUE(append(*log, "small"));
  const auto large = append(*log, std::string(1000, 'l'));
  ASSERT_TRUE(large);
  EXPECT_EQ(large->offset, kSegmentHeadBytes);
  EXPECT_NE(append(*log, "small")->segment, large->segment);
  EXPECT_EQ(log->read(*large)->size(), 1000u);
}

TEST_F(SegmentLogTest, RefusesWhatPassesItsBound) {
  options.max_bytes = kSegmentHeadBytes + 2 * (kRecordHeadBytes + 10) + kMarkBytes;
  options.segment_bytes = kSegmentHeadBytes + kRecordHeadBytes + 10;
  auto log = open();
  const auto first = append(*log, std::string(10, 'a'));
  ASSERT_TRUE(first);
  // The second would need a segment head more than there is room.
  const auto refused = append(*log, std::string(10, 'b'));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::Exhausted);
  log->finish(*first);
  EXPECT_TRUE(append(*log, std::string(10, 'b')));
  EXPECT_LE(log->bytes(), options.max_bytes);
}

TEST_F(SegmentLogTest, RefusesARecordThatNoSegmentHolds) {
  auto log = open();
  const std::string part(1 << 20, 'x');
  std::vector<std::string_view> parts(257, part);
  EXPECT_EQ(log->append(parts).error().kind, ErrorKind::Invalid);
  EXPECT_EQ(log->bytes(), 0u);
}

TEST_F(SegmentLogTest, WritesMorePartsThanOneCallTakes) {
  auto log = open();
  std::vector<std::string> words;
  std::string expected;
  for (int i = 0; i < 3000; ++i) expected += words.emplace_back(std::to_string(i));
  const std::vector<std::string_view> parts(words.begin(), words.end());
  EXPECT_EQ(log->read(*log->append(parts))->view(), expected);
}

// A process may die between any two bytes: whatever was whole comes back, the rest is cut.
TEST_F(SegmentLogTest, SurvivesBeingCutAtEveryByte) {
  std::vector<uint32_t> ends;
  const std::vector<std::string> texts = {"first", "", std::string(40, 's'), "last one"};
  {
    auto log = open();
    for (const std::string& text : texts) {
      const auto place = append(*log, text);
      ends.push_back(place->offset + kRecordHeadBytes + static_cast<uint32_t>(text.size()));
    }
  }
  const std::string whole = contents(segment(1));
  ASSERT_EQ(whole.size(), ends.back());
  for (size_t cut = 0; cut <= whole.size(); ++cut) {
    overwrite(segment(1), whole.substr(0, cut));
    auto log = open();
    std::vector<std::string> expected;
    size_t kept = cut < kSegmentHeadBytes ? 0 : kSegmentHeadBytes;
    for (size_t i = 0; i < texts.size() && ends[i] <= cut; ++i) {
      expected.push_back(texts[i]);
      kept = ends[i];
    }
    EXPECT_EQ(unfinished(*log), expected) << cut;
    EXPECT_EQ(log->recovery().torn_bytes, cut - kept) << cut;
    EXPECT_EQ(log->recovery().damages, 0u) << cut;
    // It goes on, and what was cut is not seen again.
    ASSERT_TRUE(append(*log, "after"));
    log.reset();
    log = open();
    expected.push_back("after");
    EXPECT_EQ(log->recovery().torn_bytes, 0u) << cut;
    EXPECT_EQ(unfinished(*log), expected) << cut;
    log.reset();
    for (const auto& file : fs::directory_iterator(directory.path())) fs::remove(file);
  }
}

TEST_F(SegmentLogTest, StepsOverADamagedByteWhereverItIs) {
  const std::vector<std::string> texts = {"first", "second", "third"};
  std::vector<LogPosition> places;
  {
    auto log = open();
    for (const std::string& text : texts) places.push_back(*append(*log, text));
  }
  const std::string whole = contents(segment(1));
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] ^= 0x10;
    overwrite(segment(1), damaged);
    auto log = open();
    const auto got = unfinished(*log);
    if (at < kSegmentHeadBytes) {
      EXPECT_EQ(got, texts) << at;
      EXPECT_EQ(log->recovery().damages, 1u) << at;
      continue;
    }
    size_t hit = 0;
    while (hit + 1 < places.size() && at >= places[hit + 1].offset) ++hit;
    auto expected = texts;
    expected.erase(expected.begin() + static_cast<ptrdiff_t>(hit));
    EXPECT_EQ(got, expected) << at;
    // At the end damage cannot be told from a record that was being written.
    EXPECT_EQ(log->recovery().damages, hit == 2 ? 0u : 1u) << at;
    EXPECT_EQ(log->recovery().torn_bytes > 0, hit == 2) << at;
  }
}

TEST_F(SegmentLogTest, CountsTheEndOfAnEarlierSegmentAsDamage) {
  options.segment_bytes = 50;
  {
    auto log = open();
    ASSERT_TRUE(append(*log, std::string(30, 'a')));
    ASSERT_TRUE(append(*log, std::string(30, 'b')));
  }
  overwrite(segment(1), contents(segment(1)).substr(0, 50));
  auto log = open();
  EXPECT_EQ(log->recovery().damages, 1u);
  EXPECT_EQ(log->recovery().damaged_bytes, 50u - kSegmentHeadBytes);
  EXPECT_EQ(log->recovery().torn_bytes, 0u);
  EXPECT_EQ(unfinished(*log), std::vector<std::string>{std::string(30, 'b')});
}

TEST_F(SegmentLogTest, ADamagedMarkBringsTheRecordBack) {
  {
    auto log = open();
    const auto a = append(*log, "a");
    const auto b = append(*log, "b");
    ASSERT_TRUE(append(*log, "c"));
    log->finish(*a);
    log->finish(*b);
  }
  const fs::path marks = directory.path() / "0000000000000001.done";
  const std::string whole = contents(marks);
  ASSERT_EQ(whole.size(), 2 * kMarkBytes);
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] ^= 1;
    overwrite(marks, damaged);
    EXPECT_EQ(open()->recovery().unfinished, 2u) << at;
    overwrite(marks, whole.substr(0, at));
    EXPECT_EQ(open()->recovery().unfinished, at < kMarkBytes ? 3u : 2u) << at;
  }
}

TEST_F(SegmentLogTest, TellsDamageThatComesWhileItRuns) {
  auto log = open();
  const auto place = append(*log, "precious");
  std::string bytes = contents(segment(1));
  bytes.back() ^= 1;
  overwrite(segment(1), bytes);
  EXPECT_EQ(log->read(*place).error().kind, ErrorKind::Invalid);
  overwrite(segment(1), bytes.substr(0, 20));
  EXPECT_EQ(log->read(*place).error().kind, ErrorKind::Invalid);
}

TEST_F(SegmentLogTest, ASegmentThatIsGoneIsDamage) {
  options.segment_bytes = 50;
  auto log = open();
  const auto place = append(*log, std::string(30, 'x'));
  ASSERT_TRUE(append(*log, std::string(30, 'y')));
  fs::remove(segment(1));
  const auto gone = log->read(*place);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().kind, ErrorKind::Invalid) << gone.error().message;
}

// The record is whole, so that whoever asks again later gets it.
TEST_F(SegmentLogTest, ARecordThatCannotBeReadNowIsUnavailable) {
  auto log = open();
  const auto place = append(*log, "precious");
  std::optional<ProcessLimit> none(std::in_place, RLIMIT_NOFILE, 0);
  const auto without_descriptors = log->read(*place);
  none.reset();
  ASSERT_FALSE(without_descriptors);
  EXPECT_EQ(without_descriptors.error().kind, ErrorKind::Unavailable);

  // No name leads there: what open() says then is neither damage nor a lack of descriptors.
  const fs::path aside = directory.path() / "aside";
  fs::rename(segment(1), aside);
  fs::create_symlink(segment(1), segment(1));
  const auto looping = log->read(*place);
  fs::remove(segment(1));
  fs::rename(aside, segment(1));
  ASSERT_FALSE(looping);
  EXPECT_EQ(looping.error().kind, ErrorKind::Unavailable) << looping.error().message;
  EXPECT_EQ(log->read(*place)->view(), "precious");
}

TEST_F(SegmentLogTest, ARecordThatMayNotBeReadIsUnavailable) {
  auto log = open();
  const auto place = append(*log, "precious");
  const uid_t user = geteuid();
  fs::permissions(segment(1), fs::perms::none);
  // No mode keeps root out.
  if (user == 0 && seteuid(65534) != 0) GTEST_SKIP() << "root that cannot become another user";
  const auto refused = log->read(*place);
  ASSERT_EQ(seteuid(user), 0);
  fs::permissions(segment(1), fs::perms::owner_read | fs::perms::owner_write);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::Unavailable) << refused.error().message;
  EXPECT_EQ(log->read(*place)->view(), "precious");
}

// A file that fails to be read is opened anew the next time: a descriptor of a disk that was away
// may stay dead.
TEST_F(SegmentLogTest, AFailingReadIsTriedWithAnotherDescriptor) {
  auto log = open();
  const auto place = append(*log, "precious");
  const fs::path aside = directory.path() / "aside";
  fs::rename(segment(1), aside);
  fs::create_directory(segment(1));  // It can be opened, and read(2) fails.
  const auto failing = log->read(*place);
  fs::remove(segment(1));
  fs::rename(aside, segment(1));
  ASSERT_FALSE(failing);
  EXPECT_EQ(failing.error().kind, ErrorKind::Unavailable) << failing.error().message;
  const auto again = log->read(*place);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->view(), "precious");
}

TEST_F(SegmentLogTest, IsAsItWasAfterADiskThatIsFull) {
  auto log = open();
  ASSERT_TRUE(append(*log, "before"));
  // Part of the record can be written, the rest cannot.
  std::optional<ProcessLimit> small(std::in_place, RLIMIT_FSIZE, 1000);
  const uint64_t bytes = log->bytes();
  const auto refused = append(*log, std::string(5000, 'x'));
  EXPECT_EQ(log->bytes(), bytes);
  const auto fits = append(*log, "after");
  small.reset();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::Exhausted) << refused.error().message;
  EXPECT_TRUE(fits);
  log.reset();
  log = open();
  EXPECT_EQ(log->recovery().damages + log->recovery().torn_bytes, 0u);
  EXPECT_EQ(unfinished(*log), (std::vector<std::string>{"before", "after"}));
}

TEST_F(SegmentLogTest, LetsOneHaveTheDirectory) {
  auto log = open();
  const auto second = SegmentLog::open(directory.path(), options);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::Denied);
  log.reset();
  EXPECT_TRUE(SegmentLog::open(directory.path(), options));
}

TEST_F(SegmentLogTest, LeavesFilesAloneThatAreNotItsOwn) {
  const std::vector<std::string> names = {"README", "0000000000000001.txt", "1.log",
                                          "zzzzzzzzzzzzzzzz.log", "ffffffffffffffff.log"};
  for (const auto& name : names) overwrite(directory.path() / name, "mine");
  {
    auto log = open();
    log->finish(*append(*log, "x"));
  }
  for (const auto& name : names) EXPECT_EQ(contents(directory.path() / name), "mine") << name;
  EXPECT_EQ(files(), names.size());
}

TEST_F(SegmentLogTest, SyncsWhatWasWrittenSinceTheLastTime) {
  options.segment_bytes = 50;
  auto log = open();
  EXPECT_TRUE(log->sync().empty());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(append(*log, std::string(30, 'x')));
  const LogSync sync = log->sync();
  EXPECT_FALSE(sync.empty());
  EXPECT_TRUE(sync.run());
  EXPECT_TRUE(log->sync().empty());
  ASSERT_TRUE(append(*log, "x"));
  EXPECT_FALSE(log->sync().empty());
}

TEST_F(SegmentLogTest, ADirectoryThatIsNotThereIsAnError) {
  EXPECT_FALSE(SegmentLog::open(directory.path() / "none", options));
}

}  // namespace
}  // namespace sonde
