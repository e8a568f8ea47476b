// SPDX-License-Identifier: Apache-2.0
// What becomes of that which lies in a file that is to be added to.
#include "components/exporter/file/file_end.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "base/testing/temporary_directory.h"
#include "pipeline/test_component.h"

const sonde::pipeline::ComponentType& sonde_component_exporter_file();

namespace sonde {
namespace {

using file_exporter::FileEnd;
using file_exporter::Framing;
using pipeline::TestComponent;
using Kind = FileEnd::Kind;
namespace fs = std::filesystem;

constexpr std::string_view kLog = "logs\n  resource\n    scope\n      log\n        body: \"b\"\n";
constexpr const char* kLines[] = {"append: true", "rotation: {}"};
constexpr const char* kLengths[] = {
    "append: true, format: proto", "append: true, compression: zstd", "rotation: {}, format: proto",
    "rotation: {}, compression: zstd"};

class FileExporterEnd : public testing::Test {
 protected:
  static std::string read(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  void lay(std::string_view content) const {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << content;
  }
  // What one message is with these settings.
  std::string give(std::string_view more) const {
    TestComponent file(sonde_component_exporter_file(),
                       "{path: " + path_.string() + ", " + std::string(more) + "}");
    EXPECT_EQ(file.error, "");
    if (file.error.empty()) file.give(kLog);
    EXPECT_EQ(file.outcome.kind, Outcome::Delivered) << more;
    return read(path_);
  }
  std::string once(std::string_view more) const {
    lay("");
    return give(more);
  }
  // The files beside it, which are removed.
  std::vector<std::string> aside() const {
    std::vector<std::string> out;
    for (const auto& entry : fs::directory_iterator(directory_.path())) {
      if (entry.path() == path_) continue;
      EXPECT_TRUE(entry.path().filename().string().ends_with("-unreadable.json"));
      out.push_back(read(entry.path()));
      fs::remove(entry.path());
    }
    return out;
  }
  FileEnd end(std::string_view content, Framing framing, int flags = O_RDONLY) const {
    lay(content);
    const int fd = ::open(path_.c_str(), flags);
    const FileEnd found = file_exporter::find_end(fd, content.size(), framing);
    ::close(fd);
    return found;
  }

  TemporaryDirectory directory_;
  const fs::path path_ = directory_.path() / "data.json";
};

TEST_F(FileExporterEnd, CutsOffWhatAProcessThatDiedWroteTheHalfOf) {
  for (const auto& all :
       {std::span<const char* const>(kLines), std::span<const char* const>(kLengths)}) {
    for (const char* const more : all) {
      const std::string whole = once(more);
      for (const size_t part :
           {size_t{1}, size_t{3}, size_t{4}, whole.size() / 2, whole.size() - 2}) {
        lay(whole + whole.substr(0, part));
        EXPECT_EQ(give(more), whole + whole) << more << " " << part;
      }
      EXPECT_TRUE(aside().empty()) << more;
    }
  }
}

// Which may be half of the first message ever, or anything.
TEST_F(FileExporterEnd, KeepsWhatHasNoWholeMessageBeforeIt) {
  for (const char* const more : kLines) {
    const std::string whole = once(more);
    const std::string half = whole.substr(0, whole.size() / 2);
    lay(half);
    EXPECT_EQ(give(more), half + "\n" + whole) << more;
  }
  for (const char* const more : kLengths) {
    const std::string whole = once(more);
    for (const size_t part : {size_t{2}, whole.size() / 2}) {
      lay(whole.substr(0, part));
      EXPECT_EQ(give(more), whole) << more;
      EXPECT_EQ(aside(), std::vector{whole.substr(0, part)}) << more;
    }
  }
}

TEST_F(FileExporterEnd, PutsAsideWhatIsOfAnotherFormat) {
  const std::string json = once("append: true");
  for (const char* const more : kLengths) {
    const std::string whole = once(more);
    for (const std::string& other : {json, std::string("a text\nof somebody"), whole + json,
                                     whole + "abcd\n", std::string("x")}) {
      lay(other);
      EXPECT_EQ(give(more), whole) << more;
      EXPECT_EQ(aside(), std::vector{other}) << more;
    }
    lay(whole);
    EXPECT_EQ(give("append: true"), json) << more;
    EXPECT_EQ(aside(), std::vector{whole}) << more;
  }
}

TEST_F(FileExporterEnd, PutsAsideWhatTheOneThatItReplacesWroteInAnotherFormat) {
  const std::string json = once("append: true");
  const auto settings = [&](std::string_view format) {
    return "{path: " + path_.string() + ", format: " + std::string(format) + "}";
  };
  TestComponent old(sonde_component_exporter_file(), settings("json"));
  old.give(kLog);
  TestComponent next(sonde_component_exporter_file(), settings("proto"), old.component.get());
  ASSERT_EQ(next.error, "");
  next.component->take_over(*old.component);
  next.give(kLog);
  EXPECT_EQ(next.outcome.kind, Outcome::Delivered);
  EXPECT_EQ(read(path_).front(), '\0');
  EXPECT_EQ(aside(), std::vector{json});
}

TEST_F(FileExporterEnd, EndsALastLineThatNeedNotBeOurs) {
  for (const char* const more : kLines) {
    const std::string whole = once(more);
    const std::string text = whole.substr(0, whole.size() - 1);
    for (const std::string& other :
         {std::string("a text\nof somebody"), whole + "text", whole + "{\"a\":", whole + text, text,
          std::string("x\n{\"resourceLogs\":["), std::string("{\"a\":1}\n{\"resourceLogs\":[")}) {
      lay(other);
      EXPECT_EQ(give(more), other + "\n" + whole) << more;
      EXPECT_TRUE(aside().empty());
    }
    lay("a text\n");
    EXPECT_EQ(give(more), "a text\n" + whole);
  }
}

TEST_F(FileExporterEnd, SaysSoWhereItCannotBePutAside) {
  const std::string name(240, 'n');
  lay("a text");
  fs::rename(path_, directory_.path() / name);
  const TestComponent file(
      sonde_component_exporter_file(),
      "{path: " + (directory_.path() / name).string() + ", append: true, format: proto}");
  EXPECT_NE(file.error.find("move it away"), std::string::npos) << file.error;
  EXPECT_EQ(read(directory_.path() / name), "a text");
}

TEST_F(FileExporterEnd, LeavesAsItIsWhatItCannotRead) {
  constexpr std::string_view kOne("\0\0\0\1x\0\0\0\2x", 10);
  EXPECT_EQ(end(kOne, Framing::Lengths).kind, Kind::Torn);
  EXPECT_EQ(end(kOne, Framing::Lengths).whole, 5u);
  constexpr std::string_view kLine = "{\"resourceLogs\":[]}\n{\"resourceLogs\":[";
  EXPECT_EQ(end(kLine, Framing::Lines).kind, Kind::Torn);
  EXPECT_EQ(end(kLine, Framing::Lines).whole, kLine.find('\n') + 1);
  EXPECT_EQ(end(kOne, Framing::Lengths, O_WRONLY).kind, Kind::Whole);
  EXPECT_EQ(end(kLine, Framing::Lines, O_WRONLY).kind, Kind::Whole);
  // Somebody made it shorter meanwhile.
  lay("{\"resourceLogs\":[]}\n");
  const int fd = ::open(path_.c_str(), O_RDONLY);
  EXPECT_EQ(file_exporter::find_end(fd, 100, Framing::Lines).kind, Kind::Whole);
  lay(kOne.substr(0, 7));
  EXPECT_EQ(file_exporter::find_end(fd, 100, Framing::Lengths).kind, Kind::Whole);
  ::close(fd);
}

// The text of values says nothing of where an object ends, and pieces are read of large lines.
TEST_F(FileExporterEnd, FindsWhetherALastLineIsWhole) {
  const std::string first = "{\"resourceLogs\":[]}\n";
  const std::string large = "{\"resourceLogs\":[\"" + std::string(200'000, 'x') + "}]}\\\"}]}";
  EXPECT_EQ(end(first + large, Framing::Lines).kind, Kind::Torn);
  EXPECT_EQ(end(first + large, Framing::Lines).whole, first.size());
  EXPECT_EQ(end(first + large + "\\\\\"]}", Framing::Lines).kind, Kind::Unended);
}

}  // namespace
}  // namespace sonde
