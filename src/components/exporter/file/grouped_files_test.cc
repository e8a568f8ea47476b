// SPDX-License-Identifier: Apache-2.0
#include "components/exporter/file/grouped_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "base/counters.h"
#include "base/log.h"
#include "base/testing/open_files.h"
#include "base/testing/process_limit.h"
#include "base/testing/temporary_directory.h"
#include "net/compression/compression.h"
#include "pipeline/test_component.h"

const sonde::pipeline::ComponentType& sonde_component_exporter_file();

namespace sonde {
namespace {

using pipeline::TestComponent;
namespace fs = std::filesystem;

class FileExporterGroups : public testing::Test {
 protected:
  std::string settings(std::string_view more = "", std::string_view path = "*.json",
                       std::string_view group = "") const {
    return "{path: '" + (folder_ / path).string() + "', group_by: {enabled: true" +
           (group.empty() ? "" : ", ") + std::string(group) + "}" + (more.empty() ? "" : ", ") +
           std::string(more) + "}";
  }
  static std::string log(std::string_view segment, std::string_view body,
                         std::string_view key = "fileexporter.path_segment") {
    return "  resource\n    " + std::string(key) + " = \"" + std::string(segment) +
           "\"\n    scope\n      log\n        body: \"" + std::string(body) + "\"\n";
  }
  static std::string read(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  // The bodies of the lines of each file below the folder.
  std::map<std::string, std::string> files() const {
    std::map<std::string, std::string> out;
    for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
      if (!entry.is_regular_file()) continue;
      std::string& bodies = out[fs::relative(entry.path(), folder_).string()];
      const std::string text = read(entry.path());
      constexpr std::string_view kBody = R"("body":{"stringValue":")";
      for (size_t at = text.find(kBody); at != text.npos; at = text.find(kBody, at + 1)) {
        const size_t begin = at + kBody.size();
        bodies += text.substr(begin, text.find('"', begin) - begin) + " ";
      }
    }
    return out;
  }
  using Files = std::map<std::string, std::string>;

  TemporaryDirectory directory_;
  const fs::path folder_ = directory_.path() / "out";
};

TEST_F(FileExporterGroups, DealsOutByTheAttribute) {
  TestComponent file(sonde_component_exporter_file(), settings());
  ASSERT_EQ(file.error, "");
  file.give("logs\n" + log("a", "1") + log("b", "2") + log("a", "3"));
  EXPECT_EQ(file.outcome.kind, Outcome::Delivered);
  file.give("logs\n" + log("deep/er/a", "4"));
  EXPECT_EQ(files(), (Files{{"a.json", "1 3 "}, {"b.json", "2 "}, {"deep/er/a.json", "4 "}}));
  // One message a batch and file.
  EXPECT_EQ(std::ranges::count(read(folder_ / "a.json"), '\n'), 1);
}

TEST_F(FileExporterGroups, GivesEachFileTheDictionaryThatItsProfilesPointInto) {
  TestComponent file(sonde_component_exporter_file(), settings());
  const auto profile = [](std::string_view segment) {
    return "  resource\n    fileexporter.path_segment = \"" + std::string(segment) +
           "\"\n    scope\n      profile\n        sample\n          stack: 1\n";
  };
  file.give("profiles\n" + profile("a") + profile("b") +
            "  dictionary\n    string: \"\"\n    string: \"main\"\n");
  EXPECT_EQ(file.outcome.kind, Outcome::Delivered);
  for (const char* name : {"a.json", "b.json"}) {
    const std::string line = read(folder_ / name);
    EXPECT_TRUE(line.contains(R"("samples":[{"stackIndex":1}])")) << line;
    EXPECT_TRUE(line.contains(R"("dictionary":{"stringTable":["","main"]})")) << line;
  }
}

TEST_F(FileExporterGroups, NeverLeavesTheFolderWhateverTheAttributeSays) {
  TestComponent file(sonde_component_exporter_file(), settings("", "in/*.json"));
  ASSERT_EQ(file.error, "");
  for (const char* segment : {"../1", "../../2", "/../../3", "a/../../../4", "./../5", "..", "../",
                              "/6", "//7", "x/..", "....//....//8", "../in2/9", "%2e%2e/10"}) {
    file.give("logs\n" + log(segment, "x"));
    EXPECT_NE(file.outcome.kind, Outcome::Failed) << segment;
  }
  const auto all = files();
  EXPECT_GE(all.size(), 10u);
  for (const auto& [path, bodies] : all) EXPECT_TRUE(path.starts_with("in/")) << path;
  for (const auto& entry : fs::directory_iterator(directory_.path()))
    EXPECT_EQ(entry.path(), folder_);
}

// The answers are those of the Collector's exporter.
TEST_F(FileExporterGroups, NamesFilesAsTheCollectorDoes) {
  VirtualScheduler scheduler;
  file_exporter::Settings settings{.path = "/var/x/*.log"};
  const file_exporter::GroupedFiles files(settings, scheduler.clock());
  EXPECT_EQ(files.path_of("a"), "/var/x/a.log");
  EXPECT_EQ(files.path_of("./a/b"), "/var/x/a/b.log");
  EXPECT_EQ(files.path_of("../a"), "/var/x/a.log");
  EXPECT_EQ(files.path_of("../../a"), "/var/x/a.log");
  EXPECT_EQ(files.path_of("b/../a"), "/var/x/a.log");
  EXPECT_EQ(files.path_of(""), "/var/x/.log");
  EXPECT_EQ(files.path_of("../.....a"), "/var/x/.....a.log");
  EXPECT_FALSE(files.path_of(std::string_view("a\0b", 3)));
  settings.path = "/*";
  const file_exporter::GroupedFiles root(settings, scheduler.clock());
  EXPECT_EQ(root.path_of(".....a"), "/.....a");
  EXPECT_EQ(root.path_of("../../a"), "/a");
  settings.path = "./*.log";
  const file_exporter::GroupedFiles here(settings, scheduler.clock());
  EXPECT_EQ(here.path_of("a"), "a.log");
  EXPECT_EQ(here.path_of("../../etc/a"), "etc/a.log");
  settings.path = "/var/x/a-*-b";
  const file_exporter::GroupedFiles middle(settings, scheduler.clock());
  EXPECT_EQ(middle.path_of("1"), "/var/x/a-1-b");
  EXPECT_EQ(middle.path_of("1/../../2"), "/var/x/a-/2-b");
}

TEST_F(FileExporterGroups, DropsAndCountsWhatHasNoFile) {
  TestComponent file(sonde_component_exporter_file(), settings("", "*"));
  const double before = Counters::sum("sonde_dropped_records_total");
  file.give("logs\n" + log("a", "1", "other") + log("a", "2"));
  EXPECT_EQ(file.outcome.kind, Outcome::Delivered);
  file.give("logs\n" + log("a", "1", "other"));
  EXPECT_EQ(file.outcome.kind, Outcome::Dropped);
  EXPECT_EQ(file.outcome.reason, "no_path_segment");
  file.give("logs\n" + log(std::string(300, 'n'), "3") + log("b", "4"));
  EXPECT_EQ(file.outcome.kind, Outcome::Delivered);
  file.give("logs\n" + log("", "5"));  // The folder itself.
  EXPECT_EQ(file.outcome.reason, "bad_path");
  file.give("logs\n" + log("a/b", "6"));  // Below a file.
  EXPECT_EQ(file.outcome.reason, "bad_path");
  EXPECT_EQ(Counters::sum("sonde_dropped_records_total") - before, 5);
  EXPECT_EQ(files(), (Files{{"a", "2 "}, {"b", "4 "}}));
}

TEST_F(FileExporterGroups, TellsOnceOfPathsThatNoFileCanHaveAndForgesNoLines) {
  TestComponent file(sonde_component_exporter_file(), settings("", "*"));
  std::vector<std::string> lines;
  set_log_sink([&](LogLevel, std::string_view line) { lines.emplace_back(line); });
  std::string text = "logs\n";
  for (const char c : {'a', 'b', 'c'}) text += log(std::string(300, c) + "\\n\x1b[31m", "1");
  file.give(text);
  set_log_sink(nullptr);
  EXPECT_EQ(file.outcome.reason, "bad_path");
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_TRUE(lines[0].contains("3 resources")) << lines[0];
  EXPECT_FALSE(lines[0].contains('\n')) << lines[0];
  EXPECT_FALSE(lines[0].contains('\x1b')) << lines[0];
}

TEST_F(FileExporterGroups, HasSoManyFilesOpenAndLosesNothingOfThoseThatItCloses) {
  const auto open = [&] {
    std::vector<std::string> names;
    for (const auto& file : open_files_below(folder_)) names.push_back(file.filename());
    return names;
  };
  fs::create_directories(folder_);
  std::ofstream(folder_ / "1.json") << "from before";
  TestComponent file(sonde_component_exporter_file(), settings("", "*.json", "max_open_files: 2"));
  ASSERT_EQ(file.error, "");
  for (const char* segment : {"1", "2", "1", "3", "1", "2"})
    file.give("logs\n" + log(segment, segment));
  EXPECT_EQ(open(), (std::vector<std::string>{"1.json", "2.json"}));
  file.give("logs\n" + log("1", "a") + log("2", "b") + log("3", "c") + log("4", "d"));
  EXPECT_EQ(open().size(), 2u);
  EXPECT_EQ(
      files(),
      (Files{{"1.json", "1 1 1 a "}, {"2.json", "2 2 b "}, {"3.json", "3 c "}, {"4.json", "d "}}));
  EXPECT_FALSE(read(folder_ / "1.json").contains("from before"));
}

TEST_F(FileExporterGroups, AddsToWhatIsThereWhereTold) {
  for (int i = 0; i < 2; ++i) {
    TestComponent file(sonde_component_exporter_file(), settings("append: true"));
    file.give("logs\n" + log("a", std::to_string(i)));
  }
  EXPECT_EQ(files(), (Files{{"a.json", "0 1 "}}));
}

TEST_F(FileExporterGroups, PutsEachFileAsideOnItsOwn) {
  TestComponent file(sonde_component_exporter_file(),
                     settings("rotation: {max_megabytes: 1}", "*/data.json"));
  const std::string large(700'000, 'x');
  for (const char* segment : {"a", "a", "b"}) file.give("logs\n" + log(segment, large));
  EXPECT_EQ(files().size(), 3u);
  EXPECT_TRUE(fs::exists(folder_ / "a" / "data-2023-11-14T22-13-20.000.json"));
}

TEST_F(FileExporterGroups, CompressesTheMessagesOfEachFile) {
  TestComponent file(sonde_component_exporter_file(),
                     settings("format: proto, compression: zstd, compression_params: {level: 11}"));
  ASSERT_EQ(file.error, "");
  file.give("logs\n" + log("a", "1") + log("b", "2"));
  const std::string text = read(folder_ / "b.json");
  auto plain = net::decompress(net::Encoding::Zstd, std::string_view(text).substr(4), 1000);
  ASSERT_TRUE(plain);
  EXPECT_EQ(to_text(Signal::Logs, plain->view()), "logs\n" + log("b", "2"));
}

TEST_F(FileExporterGroups, LeavesNoPartOfABatchThatDoesNotFitWhole) {
  TestComponent file(sonde_component_exporter_file(), settings("", "*.json", "max_open_files: 1"));
  file.give("logs\n" + log("a", "1") + log("b", "1"));
  {
    const ProcessLimit small(RLIMIT_FSIZE, 1000);
    file.give("logs\n" + log("a", "2") + log("b", std::string(2000, 'x')));
  }
  EXPECT_EQ(file.outcome.kind, Outcome::Failed);
  EXPECT_EQ(file.outcome.error.kind, ErrorKind::Unavailable);
  EXPECT_EQ(files(), (Files{{"a.json", "1 "}, {"b.json", "1 "}}));
  file.give("logs\n" + log("a", "2") + log("b", "2"));
  EXPECT_EQ(files(), (Files{{"a.json", "1 2 "}, {"b.json", "1 2 "}}));
}

TEST_F(FileExporterGroups, GoesOnInTheFilesOfTheOneThatItReplaces) {
  TestComponent old(sonde_component_exporter_file(), settings());
  old.give("logs\n" + log("a", "1"));
  TestComponent next(sonde_component_exporter_file(), settings("flush_interval: 2s"),
                     old.component.get());
  ASSERT_EQ(next.error, "");
  next.give("logs\n" + log("a", "2"));
  next.component->take_over(*old.component);
  next.give("logs\n" + log("a", "3"));
  old.give("logs\n" + log("a", "4"));  // What was on its way to it.
  EXPECT_EQ(files(), (Files{{"a.json", "1 2 3 4 "}}));
}

TEST_F(FileExporterGroups, MakesFoldersWithTheModeThatWasAskedFor) {
  const mode_t mask = ::umask(0);
  TestComponent file(sonde_component_exporter_file(),
                     settings("create_directory: true, directory_permissions: '0711'"));
  file.give("logs\n" + log("x/a", "1"));
  ::umask(mask);
  struct stat status{};
  ASSERT_EQ(::stat((folder_ / "x").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0711u);
}

// The name of what is put aside is longer than that of the file.
TEST_F(FileExporterGroups, WritesOnWhereThePeersNameIsTooLongToBePutAside) {
  TestComponent file(sonde_component_exporter_file(), settings("rotation: {max_megabytes: 1}"));
  ASSERT_EQ(file.error, "");
  const std::string large(400 * 1024, 'x');
  for (const size_t length : {226u, 227u, 240u, 250u}) {
    const std::string name(length, 'n');
    for (int i = 0; i < 4; ++i) {
      file.give("logs\n" + log(name, large));
      EXPECT_EQ(file.outcome.kind, Outcome::Delivered) << length;
    }
    const bool fits = length + std::string_view("-2023-11-14T22-13-20.000.json").size() <= 255;
    const auto size = fs::file_size(folder_ / (name + ".json"));
    EXPECT_EQ(size / large.size(), fits ? 2u : 4u) << length;
  }
}

TEST_F(FileExporterGroups, GoesOnWhereSomebodyRemovedTheFileThatIsFull) {
  TestComponent file(sonde_component_exporter_file(), settings("rotation: {max_megabytes: 1}"));
  ASSERT_EQ(file.error, "");
  const std::string large(600 * 1024, 'x');
  file.give("logs\n" + log("a", large));
  fs::remove(folder_ / "a.json");
  file.give("logs\n" + log("a", large));
  EXPECT_EQ(file.outcome.kind, Outcome::Delivered);
  EXPECT_GT(fs::file_size(folder_ / "a.json"), large.size());
}

// To look through all of a file each time that it is opened would cost the more the larger it is.
TEST_F(FileExporterGroups, DoesNotLookThroughWhatItWroteItself) {
  TestComponent file(sonde_component_exporter_file(),
                     settings("format: proto", "*", "max_open_files: 1"));
  ASSERT_EQ(file.error, "");
  const auto give = [&](std::string_view name) {
    file.give("logs\n" + log(name, "x"));
    EXPECT_EQ(file.outcome.kind, Outcome::Delivered);
  };
  const auto overwrite = [&](std::string_view text) {
    std::fstream(folder_ / "a", std::ios::in | std::ios::out | std::ios::binary) << text;
  };
  give("a");
  const size_t size = fs::file_size(folder_ / "a");
  const std::string head = read(folder_ / "a").substr(0, 4);
  give("b");
  // As long as it was left: it is not read, so nobody sees that it is something else.
  overwrite("text");
  give("a");
  EXPECT_EQ(fs::file_size(folder_ / "a"), 2 * size);
  overwrite(head);
  give("b");
  // Somebody else wrote there, too: half a message.
  std::ofstream(folder_ / "a", std::ios::app | std::ios::binary) << head;
  give("a");
  EXPECT_EQ(fs::file_size(folder_ / "a"), 3 * size);
}

TEST_F(FileExporterGroups, PutsAsideWhatTheOneThatItReplacesWroteInAnotherFormat) {
  TestComponent old(sonde_component_exporter_file(), settings("", "*"));
  old.give("logs\n" + log("a", "1"));
  const std::string json = read(folder_ / "a");
  TestComponent next(sonde_component_exporter_file(), settings("format: proto", "*"),
                     old.component.get());
  ASSERT_EQ(next.error, "");
  next.component->take_over(*old.component);
  next.give("logs\n" + log("a", "1"));
  EXPECT_EQ(read(folder_ / "a").front(), '\0');
  for (const auto& entry : fs::directory_iterator(folder_)) {
    if (entry.path().filename() != "a") EXPECT_EQ(read(entry.path()), json);
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 2);
}

TEST_F(FileExporterGroups, SaysWhatIsWrongWithItsSettings) {
  const auto refusal = [&](std::string_view path, std::string_view group) {
    return TestComponent(sonde_component_exporter_file(), settings("", path, group)).error;
  };
  EXPECT_NE(refusal("x.json", "").find("exactly one *"), std::string::npos);
  EXPECT_NE(refusal("*/*.json", "").find("exactly one *"), std::string::npos);
  EXPECT_NE(refusal("*.json", "resource_attribute: ''").find("resource_attribute"),
            std::string::npos);
  EXPECT_NE(refusal("*.json", "max_open_files: 0").find("max_open_files"), std::string::npos);
  EXPECT_NE(TestComponent(sonde_component_exporter_file(), "{path: '*', group_by: {enabled: true}}")
                .error.find("must not begin"),
            std::string::npos);
}

}  // namespace
}  // namespace sonde
