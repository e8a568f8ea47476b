// SPDX-License-Identifier: Apache-2.0
// A password or token in a file, which somebody may replace while we run: Kubernetes swaps a
// symbolic link, others write in place. Looked at each second; one that cannot be read or is empty
// leaves the last value as it is, with a warning.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <tuple>

#include "base/repeating_timer.h"
#include "base/result.h"
#include "base/scheduler.h"

namespace sonde::pipeline {

inline constexpr size_t kMaxSecretFile = size_t{1} << 20;

// The file without white space around it. Errors (NotFound, Invalid) name the file; an empty one
// and one over kMaxSecretFile are errors.
Result<std::string> read_secret_file(const std::string& path);

class SecretFile {
 public:
  using Changed = std::function<void(std::string value)>;

  // Reads the file, which must be there, and calls `changed` with it, now and after each change.
  Result<> start(Scheduler& scheduler, std::string path, Changed changed);
  void stop() { timer_.stop(); }

 private:
  // What says that a file is another one or was written: device, inode, size, time.
  using Mark = std::tuple<uint64_t, uint64_t, int64_t, int64_t, int64_t>;
  Mark mark() const;
  void look();

  std::string path_;
  Changed changed_;
  Mark seen_{};
  std::string value_;
  RepeatingTimer timer_;
};

}  // namespace sonde::pipeline
