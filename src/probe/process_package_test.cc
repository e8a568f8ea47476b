// SPDX-License-Identifier: Apache-2.0
// Trees of files such as a container makes, in which links lead where they should not.
#include "probe/process_package.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "probe/process_text.h"

namespace sonde::probe::names {
namespace {

namespace fs = std::filesystem;

TEST(PackageName, IsThatOfTheOutermostObject) {
  EXPECT_EQ(name_in_package(R"({"author": {"name": "me"}, "name" : "shop"})"), "shop");
  EXPECT_EQ(name_in_package("\xEF\xBB\xBF\n{\"files\":[\"name\"],\"name\":\n\"shop\"}"), "shop");
  EXPECT_EQ(name_in_package(R"({"main":"name","x":"{\"name\":\"no\"","name":"a\"b"})"), R"(a\"b)");
  EXPECT_EQ(name_in_package(R"({"x":[{"name":"no"},["name"]],"name":"yes")"), "yes");
  for (const char* none :
       {"", "\"name\":\"x\"", "[{\"name\":\"x\"}]", "{", "}", "{}{\"name\":\"x\"}", "{\"name",
        "{\"name\"", "{\"name\":", "{\"name\":5}", "{\"name\":\"x", "{\"name\":\"x\\",
        "{]\"name\":\"x\"}"}) {
    EXPECT_EQ(name_in_package(none), "") << none;
  }
}

TEST(PackageName, TakesOneWalkOverTheText) {
  std::string many = "{";
  while (many.size() < 4'000'000) many += "{\"name\"";
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(name_in_package(many), "");
  // A walk from the beginning for each name takes minutes.
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
}

class Root : public testing::Test {
 protected:
  Root() {
    char path[] = "/tmp/sonde_root_XXXXXX";
    base = mkdtemp(path);
    fs::create_directories(base + "/seen/srv");
    std::ofstream(base + "/secret.json") << R"({"name":"secret"})";
    std::ofstream(base + "/seen/own.json") << R"({"name":"own"})";
  }
  ~Root() override { fs::remove_all(base); }
  std::string read(const std::string& path) { return read_file_below(base + "/seen", path, 65536); }
  void link(const std::string& target) {
    fs::remove(base + "/seen/srv/package.json");
    fs::create_symlink(target, base + "/seen/srv/package.json");
  }
  std::string name() { return package_name("/srv", base + "/seen"); }
  std::string base;
};

TEST_F(Root, HoldsTheFilesThatAreRead) {
  link("/own.json");
  EXPECT_EQ(name(), "own") << "an absolute link begins at the root of the process";
  link("../../../../own.json");
  EXPECT_EQ(name(), "own");
  link(base + "/secret.json");
  EXPECT_EQ(name(), "");
  link("../../secret.json");
  EXPECT_EQ(name(), "");
  fs::create_symlink(base, base + "/seen/out");
  EXPECT_EQ(package_name("/out", base + "/seen"), "");
  EXPECT_EQ(package_name("/srv", base + "/nowhere"), "");
  EXPECT_EQ(read("/own.json"), R"({"name":"own"})");
  EXPECT_EQ(read("own.json"), R"({"name":"own"})");
  EXPECT_EQ(read_file_below(base + "/seen", "/own.json", 3), R"({"n)");
}

TEST_F(Root, OpensNothingButFiles) {
  const std::string pipe = base + "/seen/srv/package.json";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(name(), "");
  fs::remove(pipe);
  fs::create_directory(pipe);
  EXPECT_EQ(name(), "");
  // Below the real root, a device and what the kernel writes into /proc.
  EXPECT_EQ(read_file_below("/", "/dev/zero", 100), "");
  EXPECT_EQ(read_file_below("/", "/proc/self/root" + base + "/secret.json", 100), "");
  EXPECT_EQ(read_file_below("/", "/proc/version", 100), "");
  EXPECT_EQ(read_file_below("/", base + "/secret.json", 100), R"({"name":"secret"})");
}

}  // namespace
}  // namespace sonde::probe::names
