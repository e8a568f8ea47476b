// SPDX-License-Identifier: Apache-2.0
#include "pipeline/auth/secret_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/testing/temporary_directory.h"
#include "base/virtual_scheduler.h"

namespace sonde::pipeline {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

class SecretFileTest : public testing::Test {
 protected:
  void write(const fs::path& path, std::string_view text) {
    std::ofstream(path, std::ios::binary) << text;
    // Two writes may fall into one tick of the file system's clock.
    fs::last_write_time(path, fs::file_time_type::clock::now() + seconds(++writes_));
  }
  Result<> start() {
    return file_.start(scheduler_, path_.string(),
                       [this](std::string value) { seen_.push_back(std::move(value)); });
  }

  TemporaryDirectory directory_;
  const fs::path path_ = directory_.path() / "secret";
  int writes_ = 0;
  VirtualScheduler scheduler_;
  SecretFile file_;
  std::vector<std::string> seen_;
};

TEST_F(SecretFileTest, IsReadWithoutTheSpaceAroundIt) {
  write(path_, "  two words\n\n");
  ASSERT_TRUE(start());
  EXPECT_EQ(seen_, std::vector<std::string>{"two words"});
}

TEST_F(SecretFileTest, MustBeThereAndHoldSomething) {
  EXPECT_EQ(start().error().kind, ErrorKind::NotFound);
  write(path_, " \n\t");
  EXPECT_NE(start().error().message.find("is empty"), std::string::npos);
  write(path_, std::string(kMaxSecretFile + 1, 'x'));
  EXPECT_EQ(start().error().kind, ErrorKind::Invalid);
  EXPECT_FALSE(read_secret_file(directory_.path().string()));
  EXPECT_TRUE(seen_.empty());
}

TEST_F(SecretFileTest, IsReadAgainWhenItIsWrittenOrReplaced) {
  write(path_, "one");
  ASSERT_TRUE(start());
  scheduler_.advance(seconds(5));
  EXPECT_EQ(seen_.size(), 1u);
  write(path_, "two");
  scheduler_.advance(seconds(1));
  const fs::path other = directory_.path() / "other";
  write(other, "three");
  fs::rename(other, path_);
  scheduler_.advance(seconds(1));
  write(path_, "three");  // As it was: nobody is told.
  scheduler_.advance(seconds(1));
  EXPECT_EQ(seen_, (std::vector<std::string>{"one", "two", "three"}));
}

TEST_F(SecretFileTest, FollowsTheLinksOfKubernetes) {
  for (const char* name : {"first", "second"}) {
    fs::create_directory(directory_.path() / name);
    write(directory_.path() / name / "secret", name);
  }
  const fs::path data = directory_.path() / "data";
  fs::create_directory_symlink("first", data);
  fs::create_symlink("data/secret", path_);
  ASSERT_TRUE(start());
  fs::create_directory_symlink("second", directory_.path() / "fresh");
  fs::rename(directory_.path() / "fresh", data);
  fs::remove_all(directory_.path() / "first");
  scheduler_.advance(seconds(1));
  EXPECT_EQ(seen_, (std::vector<std::string>{"first", "second"}));
}

TEST_F(SecretFileTest, KeepsItsValueWhileThereIsNoBetterOne) {
  write(path_, "one");
  ASSERT_TRUE(start());
  fs::remove(path_);
  scheduler_.advance(seconds(2));
  write(path_, "");
  scheduler_.advance(seconds(2));
  EXPECT_EQ(seen_, std::vector<std::string>{"one"});
  write(path_, "two");
  scheduler_.advance(seconds(1));
  EXPECT_EQ(seen_.back(), "two");
}

}  // namespace
}  // namespace sonde::pipeline
