// SPDX-License-Identifier: Apache-2.0
#include "app/file_watch.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace sonde::app {
namespace {

namespace fs = std::filesystem;

class FileWatchTest : public testing::Test {
 protected:
  FileWatchTest()
      : folder_(fs::temp_directory_path() / ("sonde_watch_" + std::to_string(getpid()))) {
    fs::create_directories(folder_);
  }
  ~FileWatchTest() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ / name; }
  // A time of its own for each write: the clock of a file system may be coarse.
  void write(const std::string& name, const std::string& text) {
    std::ofstream(path(name)) << text;
    struct timespec times[2] = {{++second_, 0}, {second_, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, path(name).c_str(), times, 0), 0);
  }
  FileStamps stamps(const std::vector<std::string>& names) const {
    FileStamps out;
    for (const std::string& name : names) out.emplace(path(name), stamp_of(path(name)));
    return out;
  }

  const fs::path folder_;
  time_t second_ = 1'700'000'000;
};

TEST_F(FileWatchTest, TellsAChangeOnceAndOnlyWhenItHasSettled) {
  write("a", "1");
  FileChanges changes;
  changes.expect(stamps({"a"}));
  EXPECT_EQ(changes.look(), "");
  write("a", "2");
  EXPECT_EQ(changes.look(), "");
  write("a", "3");
  EXPECT_EQ(changes.look(), "");
  EXPECT_EQ(changes.look(), path("a"));
  EXPECT_EQ(changes.look(), "");
}

TEST_F(FileWatchTest, SeesWhatWasWrittenBetweenReadingAndTheFirstLook) {
  write("a", "1");
  FileStamps read = stamps({"a"});
  write("a", "2");
  FileChanges changes;
  changes.expect(std::move(read));
  EXPECT_EQ(changes.look(), "");
  EXPECT_EQ(changes.look(), path("a"));
}

TEST_F(FileWatchTest, SeesFilesGoComeAndLinksTurn) {
  write("a", "1");
  write("b", "1");
  fs::create_symlink(path("a"), path("link"));
  FileChanges changes;
  changes.expect(stamps({"link", "b"}));
  changes.look();
  fs::create_symlink(path("b"), path("next"));
  fs::rename(path("next"), path("link"));
  changes.look();
  EXPECT_EQ(changes.look(), path("link"));
  fs::remove(path("b"));
  changes.look();
  EXPECT_NE(changes.look(), "");
  write("b", "1");
  changes.look();
  EXPECT_NE(changes.look(), "");
}

TEST_F(FileWatchTest, NotesIncludedFilesEvenThoseThatAreMissing) {
  write("a", "x");
  config::Providers providers = config::local_providers();
  FileStamps noted;
  note_files(providers, noted);
  EXPECT_TRUE(providers.at("file")(path("a")));
  EXPECT_FALSE(providers.at("file")(path("none")));
  EXPECT_EQ(noted, stamps({"a", "none"}));
}

}  // namespace
}  // namespace sonde::app
