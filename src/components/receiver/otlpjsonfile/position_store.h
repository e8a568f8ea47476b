// SPDX-License-Identifier: Apache-2.0
// Keeps positions in a directory of a storage extension. A position is in the page cache when put()
// returns, so it survives the death of the process; what the machine forgets when it dies is read
// again, never passed over. Not thread safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/scheduler.h"
#include "base/segment_log.h"
#include "components/receiver/otlpjsonfile/position.h"
#include "pipeline/storage.h"

namespace sonde::pipeline {
class DiskThread;
}

namespace sonde::otlpjsonfile {

class PositionStore {
 public:
  static Result<std::filesystem::path> directory_of(pipeline::Storage& storage,
                                                    std::string_view receiver);
  // An error when the directory cannot be used.
  static Result<std::unique_ptr<PositionStore>> open(pipeline::Storage& storage,
                                                     std::string_view receiver,
                                                     Scheduler& scheduler);
  ~PositionStore();
  PositionStore(const PositionStore&) = delete;
  PositionStore& operator=(const PositionStore&) = delete;

  const std::filesystem::path& directory() const { return directory_; }
  // What an earlier process left; their numbers are 1, 2 and so on. Empty when asked again.
  std::vector<Position> take_stored() { return std::exchange(stored_, {}); }
  // Whether an earlier process used the directory, even if it left no position.
  bool used_before() const { return used_before_; }

  // `number` stands for a file for as long as this lives, and is not 0.
  void put(uint64_t number, const Position& position);
  void forget(uint64_t number);
  // Sends what was put to the disk, beside this thread, where the storage asks for it.
  void sync();

 private:
  PositionStore(std::filesystem::path directory, std::string_view receiver, Scheduler& scheduler);
  void restore();
  // True when the log has it.
  bool append(uint64_t number, const Position& position);
  void compact();

  const std::filesystem::path directory_;
  const std::string receiver_;
  Scheduler& scheduler_;
  bool fsync_ = false;
  std::unique_ptr<SegmentLog> log_;
  struct Kept {
    LogPosition place;
    Position position;
  };
  std::map<uint64_t, Kept> kept_;
  std::vector<Position> stored_;
  bool used_before_ = false;
  bool failed_ = false;  // The last append; told once.
  bool dirty_ = false;
  struct Disk;
  std::shared_ptr<Disk> disk_;
};

}  // namespace sonde::otlpjsonfile
