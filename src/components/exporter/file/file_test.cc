// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "base/counters.h"
#include "base/testing/process_limit.h"
#include "components/exporter/file/rotating_file.h"
#include "data/otlp_fields.h"
#include "data/wire.h"
#include "net/compression/compression.h"
#include "pipeline/test_component.h"

const sonde::pipeline::ComponentType& sonde_component_exporter_file();

namespace sonde {
namespace {

using pipeline::TestComponent;
namespace fs = std::filesystem;

constexpr std::string_view kLog = "logs\n  resource\n    scope\n      log\n        body: \"b\"\n";

class FileExporter : public testing::Test {
 protected:
  FileExporter() {
    std::string name = (fs::temp_directory_path() / "sonde_file_XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    path_ = folder_ / "data.json";
  }
  ~FileExporter() override { fs::remove_all(folder_); }

  std::string settings(std::string_view more = "") const {
    return "{path: " + path_.string() + (more.empty() ? "" : ", ") + std::string(more) + "}";
  }
  static std::string read(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  size_t files() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(folder_), {}));
  }
  static uint32_t length(const std::string& text) {
    uint32_t size = 0;
    for (size_t i = 0; i < 4; ++i) size = size << 8 | static_cast<uint8_t>(text.at(i));
    return size;
  }

  fs::path folder_;
  fs::path path_;
};

TEST_F(FileExporter, WritesALineOfJsonABatchAndBeginsAnewUnlessToldToAppend) {
  for (const std::string_view more : {"", "", "append: true"}) {
    TestComponent file(sonde_component_exporter_file(), settings(more));
    ASSERT_EQ(file.error, "");
    file.give(kLog);
    EXPECT_EQ(file.outcome.kind, Outcome::Delivered);
  }
  constexpr std::string_view kLine =
      R"({"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"b"}}]}]}]})"
      "\n";
  EXPECT_EQ(read(path_), std::string(kLine) + std::string(kLine));
}

// As logrotate does with copytruncate.
TEST_F(FileExporter, GoesOnAtTheEndWhereSomebodyElseCutTheFile) {
  for (const std::string_view more : {"", "append: true", "rotation: {max_megabytes: 1}"}) {
    TestComponent file(sonde_component_exporter_file(), settings(more));
    ASSERT_EQ(file.error, "");
    file.give(kLog);
    file.give(kLog);
    fs::resize_file(path_, 0);
    file.give(kLog);
    EXPECT_EQ(file.outcome.kind, Outcome::Delivered);
    const std::string text = read(path_);
    EXPECT_TRUE(text.starts_with("{\"resourceLogs\"")) << text.size();
    EXPECT_EQ(std::ranges::count(text, '\n'), 1);
    fs::remove(path_);
  }
}

TEST_F(FileExporter, GoesOnInTheFileOfTheOneThatItReplaces) {
  TestComponent old(sonde_component_exporter_file(), settings());
  old.give(kLog);
  TestComponent next(sonde_component_exporter_file(), settings("flush_interval: 2s"),
                     old.component.get());
  ASSERT_EQ(next.error, "");
  next.give(kLog);
  next.component->take_over(*old.component);
  next.give(kLog);
  old.give(kLog);  // What was on its way to it.
  EXPECT_EQ(old.outcome.kind, Outcome::Delivered);
  old.component.reset();
  next.give(kLog);
  const std::string text = read(path_);
  EXPECT_EQ(std::ranges::count(text, '\n'), 5);
  EXPECT_EQ(text.size() % 5, 0u);
}

TEST_F(FileExporter, AddsCompressedMessagesToWhatIsThere) {
  std::string once;
  for (const std::string_view more : {"compression: zstd", "compression: zstd, append: true"}) {
    TestComponent file(sonde_component_exporter_file(), settings(more));
    ASSERT_EQ(file.error, "");
    file.give(kLog);
    if (once.empty()) once = read(path_);
  }
  EXPECT_GT(once.size(), 4u);
  EXPECT_EQ(read(path_), once + once);
}

TEST_F(FileExporter, WritesProtobufBehindItsLength) {
  TestComponent file(sonde_component_exporter_file(), settings("format: proto"));
  ASSERT_EQ(file.error, "");
  file.give(kLog);
  const std::string text = read(path_);
  ASSERT_EQ(length(text), text.size() - 4);
  EXPECT_EQ(to_text(Signal::Logs, std::string_view(text).substr(4)), kLog);
}

TEST_F(FileExporter, CompressesEachMessage) {
  TestComponent file(sonde_component_exporter_file(), settings("format: proto, compression: zstd"));
  ASSERT_EQ(file.error, "");
  file.give(kLog);
  const std::string text = read(path_);
  ASSERT_EQ(length(text), text.size() - 4);
  auto plain = net::decompress(net::Encoding::Zstd, std::string_view(text).substr(4), 1000);
  ASSERT_TRUE(plain);
  EXPECT_EQ(to_text(Signal::Logs, plain->view()), kLog);
}

TEST_F(FileExporter, PutsAsideBeforeItGrowsTooLargeAndKeepsSoMany) {
  VirtualScheduler scheduler;
  file_exporter::RotatingFile file(path_.string(),
                                   file_exporter::Rotation{.max_megabytes = 1, .max_backups = 2},
                                   scheduler.clock());
  ASSERT_TRUE(file.open(false));
  const std::string half(600 * 1024, 'x');
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(file.write(half));
  EXPECT_EQ(fs::file_size(path_), half.size());
  EXPECT_EQ(files(), 3u);
  // 1700000000 s since 1970; the later ones moved on by a millisecond each.
  EXPECT_TRUE(fs::exists(folder_ / "data-2023-11-14T22-13-20.003.json"));
}

TEST_F(FileExporter, RemovesWhatIsTooOldAndNothingElse) {
  for (const char* name : {"data-2023-11-01T00-00-00.000.json", "data-2023-11-14T00-00-00.000.json",
                           "data-2023-11-01T00-00-00.000-size.json", "data-notes.json",
                           "data2-2023-11-01T00-00-00.000.json"})
    std::ofstream(folder_ / name) << "x";
  TestComponent file(sonde_component_exporter_file(), settings("rotation: {max_days: 3}"));
  ASSERT_EQ(file.error, "");
  EXPECT_FALSE(fs::exists(folder_ / "data-2023-11-01T00-00-00.000.json"));
  EXPECT_FALSE(fs::exists(folder_ / "data-2023-11-01T00-00-00.000-size.json"));  // The Collector's.
  EXPECT_EQ(files(), 4u);
}

TEST_F(FileExporter, LeavesNoHalfOfWhatDoesNotFit) {
  // A limit on the size of files stands in for a full disk: the write that crosses it is short.
  VirtualScheduler scheduler;
  file_exporter::RotatingFile file(path_.string(), std::nullopt, scheduler.clock());
  ASSERT_TRUE(file.open(false));
  ASSERT_TRUE(file.write("0123456789"));
  std::optional<ProcessLimit> small(std::in_place, RLIMIT_FSIZE, 15);
  const auto refused = file.write("abcdefghij");
  small.reset();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::Unavailable);
  EXPECT_EQ(read(path_), "0123456789");
  ASSERT_TRUE(file.write("next"));
  EXPECT_EQ(read(path_), "0123456789next");
}

TEST_F(FileExporter, ReportsThatItCannotWriteAndThatItCanAgain) {
  TestComponent file(sonde_component_exporter_file(), settings());
  file.give(kLog);
  EXPECT_TRUE(file.host.statuses.empty());
  {
    const ProcessLimit small(RLIMIT_FSIZE, read(path_).size() + 5);
    for (int i = 0; i < 3; ++i) file.give(kLog);
  }
  EXPECT_EQ(file.outcome.kind, Outcome::Failed);
  ASSERT_EQ(file.host.statuses.size(), 1u);
  EXPECT_EQ(file.host.statuses[0].kind, pipeline::StatusKind::RecoverableError);
  EXPECT_NE(file.host.statuses[0].error, "");
  file.give(kLog);
  ASSERT_EQ(file.host.statuses.size(), 2u);
  EXPECT_EQ(file.host.statuses[1].kind, pipeline::StatusKind::Ok);
}

TEST_F(FileExporter, WritesWhatComesWithAValueThatNestsTooDeep) {
  std::string deep;
  for (int i = 0; i < 350; ++i) {
    std::string list;
    proto::Writer(list).bytes(otlp::list::kValues, deep);
    deep.clear();
    proto::Writer(deep).bytes(otlp::any_value::kArray, list);
  }
  std::string log;
  proto::Writer(log).bytes(otlp::log::kBody, deep);
  std::string records;
  proto::Writer(records).bytes(otlp::scope_group::kRecords, log);
  std::string scopes;
  proto::Writer(scopes).bytes(otlp::group::kScopes, records);
  std::string request;
  proto::Writer(request).bytes(otlp::request::kGroups, scopes);

  TestComponent file(sonde_component_exporter_file(), settings());
  const double before = Counters::sum("sonde_exporter_changed_values_total");
  Batch batch = *from_text(kLog);
  batch.chunks.push_back(Bytes::take(std::move(request)));
  batch.ack = Ack::make(nullptr, [&](Outcome done) { file.outcome = std::move(done); });
  file.component->consume(std::move(batch));
  EXPECT_EQ(file.outcome.kind, Outcome::Delivered);
  EXPECT_TRUE(read(path_).contains(R"("body":{"stringValue":"b"})"));
  EXPECT_TRUE(read(path_).contains("bytesValue"));
  EXPECT_EQ(Counters::sum("sonde_exporter_changed_values_total") - before, 1);
}

TEST_F(FileExporter, SaysWhatDoesNotGoTogether) {
  const auto refusal = [&](std::string_view more) {
    return TestComponent(sonde_component_exporter_file(), settings(more)).error;
  };
  EXPECT_NE(refusal("append: true, rotation: {}").find("append and rotation"), std::string::npos);
  EXPECT_NE(refusal("directory_permissions: '0755'").find("needs create_directory"),
            std::string::npos);
  EXPECT_NE(refusal("encoding: otlp_encoding").find("use format"), std::string::npos);
  EXPECT_NE(refusal("create_directory: true, directory_permissions: '99'").find("octal"),
            std::string::npos);
  EXPECT_NE(TestComponent(sonde_component_exporter_file(), "{path: /nowhere/at/all}")
                .error.find("cannot be opened"),
            std::string::npos);
}

}  // namespace
}  // namespace sonde
