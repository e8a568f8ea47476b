// SPDX-License-Identifier: Apache-2.0
// What happens to files while they are read: names, copies, truncation, compression, restarts.
#include <gtest/gtest.h>

#include <sstream>

#include "base/counters.h"
#include "base/testing/open_files.h"
#include "components/receiver/otlpjsonfile/position_store.h"
#include "components/receiver/otlpjsonfile/testing/files_fixture.h"

namespace sonde {
namespace {

using pipeline::TestComponent;
namespace fs = std::filesystem;

constexpr std::string_view kStored = "start_at: beginning, storage: file_storage";

TEST_F(Files, ThatBeginAlikeAreReadEach) {
  append("a.json", line("a1") + line("a2"));
  append("b.json", line("b1") + line("b2"));
  start();
  EXPECT_EQ(bodies(), "a1 a2 b1 b2 ");
  append("c.json", line("c1"));
  EXPECT_EQ(bodies(), "c1 ");
}

TEST_F(Files, ThatAreRenamedGoOnWhereTheyWere) {
  append("a.json", line("1"));
  start();
  EXPECT_EQ(bodies(), "1 ");
  append("a.json", line("2"));
  rename("a.json", "a.json.1");
  append("a.json.1", line("3"));
  append("a.json", line("4"));
  EXPECT_EQ(bodies(), "2 3 4 ");
  rename("a.json.1", "a.json.2");
  rename("a.json", "a.json.1");
  append("a.json.1", line("5"));
  append("a.json", line("6"));
  EXPECT_EQ(bodies(), "5 6 ");
}

TEST_F(Files, ThatAreMovedOutOfSightAreReadToTheirEnd) {
  const TemporaryDirectory elsewhere;
  append("a.json", line("1"));
  start();
  EXPECT_EQ(bodies(), "1 ");
  append("a.json", line("2"));
  fs::rename(folder_ / "a.json", elsewhere.path() / "x");
  EXPECT_EQ(bodies(), "2 ");
  std::ofstream(elsewhere.path() / "x", std::ios::app) << line("3");
  EXPECT_EQ(bodies(), "3 ");
  // And when they come back much later, they go on.
  EXPECT_EQ(bodies(std::chrono::minutes(1)), "");
  std::ofstream(elsewhere.path() / "x", std::ios::app) << line("4");
  fs::rename(elsewhere.path() / "x", folder_ / "b.json");
  EXPECT_EQ(bodies(), "4 ");
}

TEST_F(Files, ThatAreDeletedAreReadToTheirEnd) {
  append("a.json", line("1"));
  start();
  EXPECT_EQ(bodies(), "1 ");
  append("a.json", line("2"));
  fs::remove(folder_ / "a.json");
  EXPECT_EQ(bodies(), "2 ");
  EXPECT_EQ(bodies(std::chrono::seconds(10)), "");
  append("a.json", line("1"));
  EXPECT_EQ(bodies(), "1 ");  // Another one.
}

TEST_F(Files, ThatAreCopiedAndTruncatedAreReadOnce) {
  append("a.json", line("1") + line("2"));
  start();
  EXPECT_EQ(bodies(), "1 2 ");
  append("a.json", line("3"));
  copy("a.json", "a.json.1");
  EXPECT_EQ(bodies(), "3 ");
  append("a.json", line("4"));  // Only in the old one: the copy was made before.
  EXPECT_EQ(bodies(), "4 ");
  fs::remove(folder_ / "a.json.1");
  append("a.json", line("5"));
  copy("a.json", "a.json.1");
  fs::resize_file(folder_ / "a.json", 0);
  append("a.json", line("6"));
  EXPECT_EQ(bodies(), "5 6 ");
  append("a.json", line("7"));
  EXPECT_EQ(bodies(), "7 ");
}

TEST_F(Files, ThatAreBegunAnewAndGrowPastWhereTheyWereAreReadFromTheirBeginning) {
  append("a.json", line("1"));
  start();
  EXPECT_EQ(bodies(), "1 ");
  write("a.json", line("2") + line("3") + line("4"));
  EXPECT_EQ(bodies(), "2 3 4 ");
}

TEST_F(Files, ThatBecomeShorterAreTreatedAsTold) {
  const std::string twice = line("1") + line("2");
  for (const auto& [told, expected] : {std::pair("ignore", "4 "), std::pair("read_new", "3 4 "),
                                       std::pair("read_whole_file", "1 3 4 ")}) {
    write("a.json", twice);
    start("start_at: beginning, on_truncate: " + std::string(told));
    EXPECT_EQ(bodies(), "1 2 ");
    fs::resize_file(folder_ / "a.json", line("1").size());
    std::string got = bodies();
    append("a.json", line("3"));  // As long as it was.
    got += bodies();
    append("a.json", line("4"));
    got += bodies();
    EXPECT_EQ(got, expected) << told;
    stop();
  }
}

TEST_F(Files, ThatBecameShorterAndAreLeftAloneHideNoOthers) {
  append("a.json", line("1") + line("2"));
  start("start_at: beginning, on_truncate: ignore");
  EXPECT_EQ(bodies(), "1 2 ");
  fs::resize_file(folder_ / "a.json", line("1").size());
  EXPECT_EQ(bodies(), "");
  append("b.json", line("3"));
  EXPECT_EQ(bodies(), "3 ");
}

TEST_F(Files, ThatAreCompressedWhenTheyArePutAsideGoOnWhereTheyWere) {
  append("a.json", line("1") + line("2"));
  start("start_at: beginning, compression: auto");
  EXPECT_EQ(bodies(), "1 2 ");
  write("a.json.gz", gzip(line("1") + line("2") + line("3")));
  fs::remove(folder_ / "a.json");
  append("a.json", line("4"));
  EXPECT_EQ(bodies(std::chrono::seconds(4)), "3 4 ");
  // Another member at its end.
  append("a.json.gz", gzip(line("5")));
  EXPECT_EQ(bodies(), "5 ");
}

TEST_F(Files, ThatAreCompressedAreReadAsTheyAreWritten) {
  std::string many;
  std::string expected;
  for (int i = 100; i < 400; ++i) {
    many += line(std::to_string(i * 7919));
    expected += std::to_string(i * 7919) + " ";
  }
  const std::string whole = gzip(many);
  ASSERT_GT(whole.size(), 1000u);
  append("a.gz", whole.substr(0, whole.size() / 2));
  start("start_at: beginning, compression: gzip");
  std::string got = bodies();
  append("a.gz", whole.substr(whole.size() / 2));
  got += bodies();
  std::vector<std::string> numbers;
  std::istringstream split(got);
  for (std::string one; split >> one;) numbers.push_back(one);
  std::ranges::sort(numbers);
  got.clear();
  for (const std::string& one : numbers) got += one + " ";
  std::vector<std::string> wanted;
  std::istringstream split_wanted(expected);
  for (std::string one; split_wanted >> one;) wanted.push_back(one);
  std::ranges::sort(wanted);
  EXPECT_EQ(numbers, wanted);
}

TEST_F(Files, ThatAreDamagedGzipAreRefusedOnceAndCounted) {
  std::string damaged = gzip(line("1") + line("2"));
  damaged[damaged.size() - 6] ^= 0x55;  // Within its checksum.
  append("a.gz", damaged);
  append("no.gz", line("plain"));
  const double before = Counters::sum("sonde_otlpjsonfile_refused_lines_total");
  start("start_at: beginning, compression: gzip");
  EXPECT_EQ(bodies(std::chrono::seconds(3)), "1 2 ");
  EXPECT_EQ(Counters::sum("sonde_otlpjsonfile_refused_lines_total") - before, 2);
}

TEST_F(Files, ThatEndWithinALineGiveItWhenNobodyEndsIt) {
  const std::string last = line("2").substr(0, line("2").size() - 1);
  append("a.json", line("1") + last.substr(0, 1300));
  start("start_at: beginning, force_flush_period: 500ms");
  EXPECT_EQ(bodies(std::chrono::seconds(5)), "1 ");  // Half of one is none.
  append("a.json", last.substr(1300));
  EXPECT_EQ(bodies(std::chrono::milliseconds(600)), "");
  EXPECT_EQ(bodies(std::chrono::milliseconds(400)), "2 ");
  append("a.json", "\n" + line("3"));
  EXPECT_EQ(bodies(), "3 ");
}

TEST_F(Files, AreMoreThanMayBeOpen) {
  for (int i = 10; i < 40; ++i) append(std::to_string(i), line("a" + std::to_string(i)));
  start("start_at: beginning, max_concurrent_files: 3");
  const auto descriptors = [&] { return open_files_below(folder_).size(); };
  std::string expected;
  for (int i = 10; i < 40; ++i) expected += "a" + std::to_string(i) + " ";
  EXPECT_EQ(bodies(std::chrono::seconds(10)), expected);
  EXPECT_LE(descriptors(), 3u);
  for (int i = 10; i < 40; ++i) append(std::to_string(i), line("b" + std::to_string(i)));
  std::ranges::replace(expected, 'a', 'b');
  EXPECT_EQ(bodies(std::chrono::seconds(10)), expected);
  EXPECT_LE(descriptors(), 3u);
}

TEST_F(Files, AreReadInTurnsOfMaxBatches) {
  for (int i = 10; i < 16; ++i) append(std::to_string(i), line(std::to_string(i)));
  start("start_at: beginning, max_concurrent_files: 4, max_batches: 1, poll_interval: 1s");
  EXPECT_EQ(bodies(std::chrono::milliseconds(10)), "10 11 ");
  EXPECT_EQ(bodies(), "12 13 ");
  EXPECT_EQ(bodies(), "14 15 ");
}

TEST_F(Files, GoOnAfterARestartWhereTheyWere) {
  append("a.json", line("1"));
  append("b.json", line("b1"));
  start(kStored);
  EXPECT_EQ(bodies(), "1 b1 ");
  stop();
  append("a.json", line("2"));
  rename("a.json", "a.json.1");
  append("a.json", line("3"));
  start("start_at: end, storage: file_storage");
  EXPECT_EQ(bodies(), "2 3 ");
  stop();
  start(kStored);
  EXPECT_EQ(bodies(), "");
}

TEST_F(Files, GoOnAfterARestartUnderAnotherInode) {
  append("a.json", line("1") + line("2"));
  start(kStored);
  EXPECT_EQ(bodies(), "1 2 ");
  stop();
  copy("a.json", "b.json");
  fs::remove(folder_ / "a.json");
  append("b.json", line("3"));
  start(kStored);
  EXPECT_EQ(bodies(), "3 ");
}

TEST_F(Files, WhoseLinesWereNotTakenGiveThemAgainAfterARestart) {
  append("a.json", line("1") + line("2"));
  Holding sink;
  {
    pipeline::TestHost host;
    host.extensions["file_storage"] = &storage_;
    auto made = TestComponent::make(sonde_component_receiver_otlpjsonfile(), settings(kStored),
                                    {.logs = &sink});
    ASSERT_TRUE(made);
    ASSERT_TRUE((*made)->start(host));
    host.scheduler().run_ready();
    ASSERT_EQ(sink.held.size(), 1u);
    sink.held[0].ack.deliver();
    host.scheduler().run_ready();
    ASSERT_EQ(sink.held.size(), 2u);
    (*made)->stop();
    sink.held[1].ack.fail({ErrorKind::Unavailable, "down", {}});
    host.scheduler().run_ready();
    EXPECT_TRUE((*made)->drained());
  }
  start(kStored);
  EXPECT_EQ(bodies(), "2 ");
}

TEST_F(Files, ThatCameWhileNobodyLookedAreReadFromTheirBeginning) {
  start("start_at: end, storage: file_storage");
  EXPECT_EQ(bodies(), "");
  stop();
  append("a.json", line("1"));
  start("start_at: end, storage: file_storage");
  EXPECT_EQ(bodies(), "1 ");
}

TEST_F(Files, AreKnownToTheOneThatReplacesTheReceiverWithItsStorage) {
  append("a.json", line("1"));
  start(kStored);
  EXPECT_EQ(bodies(), "1 ");
  auto old = std::move(receiver_);
  receiver_ = std::make_unique<Running>();
  auto made = TestComponent::make(sonde_component_receiver_otlpjsonfile(),
                                  settings("storage: file_storage, poll_interval: 100ms"),
                                  {&receiver_->sink, &receiver_->sink, &receiver_->sink});
  ASSERT_TRUE(made);
  receiver_->component = std::move(*made);
  receiver_->host.extensions["file_storage"] = &storage_;
  receiver_->host.before = old->component.get();
  ASSERT_TRUE(receiver_->component->start(receiver_->host));
  receiver_->component->take_over(*old->component);
  old->component->stop();
  old.reset();
  append("a.json", line("2"));
  EXPECT_EQ(bodies(), "2 ");
  stop();
  append("a.json", line("3"));
  start(kStored);
  EXPECT_EQ(bodies(), "3 ");
}

TEST_F(Files, WhosePositionsMoveOftenTakeNoMoreDiskThanABound) {
  VirtualScheduler scheduler;
  const otlpjsonfile::Position rests{.file = {1, 1}, .offset = 7};
  otlpjsonfile::Position moves{.file = {1, 2}};
  {
    auto store = otlpjsonfile::PositionStore::open(storage_, "r", scheduler);
    ASSERT_TRUE(store);
    EXPECT_FALSE((*store)->used_before());
    (*store)->put(1, rests);
    (*store)->put(3, rests);
    for (; moves.offset < 100'000; ++moves.offset) (*store)->put(2, moves);
    (*store)->put(2, moves);
    (*store)->forget(3);
  }
  uint64_t size = 0;
  for (const auto& entry : fs::recursive_directory_iterator(stored_.path()))
    if (entry.is_regular_file()) size += entry.file_size();
  EXPECT_LE(size, 6U << 20);
  auto store = otlpjsonfile::PositionStore::open(storage_, "r", scheduler);
  ASSERT_TRUE(store);
  EXPECT_TRUE((*store)->used_before());
  EXPECT_EQ((*store)->take_stored(), (std::vector{rests, moves}));
}

}  // namespace
}  // namespace sonde
