// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/testing/temporary_directory.h"
#include "config/yaml.h"
#include "pipeline/storage.h"
#include "pipeline/test_host.h"

const sonde::pipeline::ComponentType& sonde_component_extension_file_storage();

namespace sonde {
namespace {

namespace fs = std::filesystem;

class FileStorageTest : public testing::Test {
 protected:
  Result<std::unique_ptr<pipeline::Component>> start(const std::string& settings) {
    const config::Value value = *config::parse_yaml(settings, "test.yaml");
    auto made = sonde_component_extension_file_storage().create(value, "file_storage", {});
    if (!made) return made;
    if (auto started = (*made)->start(host); !started) return std::unexpected(started.error());
    return made;
  }
  TemporaryDirectory directory;
  pipeline::TestHost host{"file_storage"};
};

TEST_F(FileStorageTest, GivesEachThingADirectoryOfItsOwn) {
  const auto made = start("{directory: " + directory.path().string() + ", fsync: true}");
  ASSERT_TRUE(made) << made.error().message;
  auto* storage = dynamic_cast<pipeline::Storage*>(made->get());
  ASSERT_NE(storage, nullptr);
  EXPECT_TRUE(storage->fsync());
  EXPECT_EQ(storage->lock_timeout(), std::chrono::seconds(1));
  EXPECT_EQ(storage->max_bytes(), UINT64_MAX);
  const auto path = storage->directory_for("exporter", "otlp/../a b", "traces");
  ASSERT_TRUE(path);
  EXPECT_TRUE(fs::is_directory(*path));
  EXPECT_EQ(path->parent_path(), directory.path());
  EXPECT_EQ(path->filename(), "exporter_otlp~2f..~2fa~20b_traces");
  EXPECT_EQ(*storage->directory_for("exporter", "otlp/../a b", "traces"), *path);
  EXPECT_NE(*storage->directory_for("exporter", "otlp", "logs"), *path);
}

// Where it makes no directory its mode is not looked at, as in the Collector; what lies below has
// one.
TEST_F(FileStorageTest, TakesAnyModeWhereItMakesNoDirectory) {
  const auto made =
      start("{directory: " + directory.path().string() + ", directory_permissions: what}");
  ASSERT_TRUE(made) << made.error().message;
  const auto path = dynamic_cast<pipeline::Storage&>(**made).directory_for("exporter", "a", "logs");
  ASSERT_TRUE(path) << path.error().message;
  struct stat status{};
  ASSERT_EQ(stat(path->c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0750u);
}

TEST_F(FileStorageTest, MakesItsDirectoryOnlyWhenTold) {
  const std::string path = (directory.path() / "a" / "b").string();
  const auto refused = start("{directory: " + path + "}");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("create_directory"), std::string::npos);
  EXPECT_FALSE(fs::exists(path));
  const auto made =
      start("{directory: " + path + ", create_directory: true, directory_permissions: '0700'}");
  ASSERT_TRUE(made) << made.error().message;
  struct stat status{};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
}

TEST_F(FileStorageTest, RefusesWhatCannotBeADirectory) {
  EXPECT_FALSE(start("{directory: /dev/null}"));
  EXPECT_FALSE(start("{directory: /dev/null/below, create_directory: true}"));
  EXPECT_FALSE(start("{directory: ''}"));
  for (const char* mode : {"rwx", "0888", "9", "01777", "0050", ""}) {
    EXPECT_FALSE(start("{directory: /tmp, create_directory: true, directory_permissions: '" +
                       std::string(mode) + "'}"))
        << mode;
  }
}

TEST_F(FileStorageTest, IsRefusedBeforeAnythingRunsWhereADirectoryIsMissing) {
  const auto check = [](const std::string& settings) {
    return sonde_component_extension_file_storage().check(
        *config::parse_yaml(settings, "test.yaml"), "file_storage");
  };
  const std::string here = directory.path().string();
  const std::string missing = here + "/missing";
  const auto refused = check("{directory: " + missing + "}");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("create_directory"), std::string::npos);
  EXPECT_TRUE(check("{directory: " + missing + ", create_directory: true}"));
  EXPECT_FALSE(fs::exists(missing));
  EXPECT_FALSE(check("{directory: /dev/null, create_directory: true}"));
  const std::string elsewhere = ", directory: " + missing + "}}";
  EXPECT_FALSE(check("{directory: " + here + ", compaction: {on_start: true" + elsewhere));
  EXPECT_FALSE(check("{directory: " + here + ", compaction: {on_rebound: true" + elsewhere));
  EXPECT_TRUE(check("{directory: " + here + ", compaction: {on_start: false" + elsewhere));
}

TEST_F(FileStorageTest, TakesEverySettingOfTheCollector) {
  EXPECT_TRUE(start("{directory: " + directory.path().string() +
                    ", timeout: 2s, compaction: {on_start: true, directory: /tmp, "
                    "max_transaction_size: 65536, on_rebound: true}, max_size: 1MiB}"));
}

}  // namespace
}  // namespace sonde
