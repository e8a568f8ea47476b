// SPDX-License-Identifier: Apache-2.0
// A storage extension for tests: folders below one that the test owns, by rules that it may change.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <utility>

#include "pipeline/component.h"
#include "pipeline/storage.h"

namespace sonde::pipeline {

class FolderStorage final : public Component, public Storage {
 public:
  explicit FolderStorage(std::filesystem::path root) : root_(std::move(root)) {}
  Result<std::filesystem::path> directory_for(std::string_view, std::string_view id,
                                              std::string_view name) override {
    auto path = root_ / id / name;
    std::filesystem::create_directories(path);
    return path;
  }
  bool fsync() const override { return sync; }
  Duration fsync_interval() const override { return interval; }
  uint64_t max_bytes() const override { return bound; }

  bool sync = false;
  Duration interval{};
  uint64_t bound = UINT64_MAX;

 private:
  const std::filesystem::path root_;
};

}  // namespace sonde::pipeline
