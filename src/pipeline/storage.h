// SPDX-License-Identifier: Apache-2.0
// What a storage extension offers: a directory of its own for each component that must keep
// something over a restart. A component finds it with Host::extension() and dynamic_cast. It may be
// called from any shard.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace sonde::pipeline {

class Storage {
 public:
  virtual ~Storage() = default;
  // Exists when this returns. `kind` and `id` are the component's, `name` tells its things apart.
  virtual Result<std::filesystem::path> directory_for(std::string_view kind, std::string_view id,
                                                      std::string_view name) = 0;
  // Whether each write must have reached the disk before it counts.
  virtual bool fsync() const = 0;
  // Where fsync() is false: how often what was written is sent to the disk; 0 is when the system
  // likes.
  virtual Duration fsync_interval() const { return {}; }
  // How long to wait for another process to give a directory up.
  virtual Duration lock_timeout() const { return {}; }
  // The bound of each directory.
  virtual uint64_t max_bytes() const { return UINT64_MAX; }
};

}  // namespace sonde::pipeline
