// SPDX-License-Identifier: Apache-2.0
// For tests of what happens when the process may have no more files, or no larger ones.
#pragma once

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

namespace sonde {

// The soft limit of a resource while there is one of these, as setrlimit(2) knows it: RLIMIT_NOFILE
// is one more than the highest descriptor that may be opened, RLIMIT_FSIZE how many bytes a file
// may grow to. A write beyond that fails with EFBIG, for its signal is ignored meanwhile.
class ProcessLimit {
 public:
  ProcessLimit(__rlimit_resource resource, rlim_t soft)
      : resource_(resource), handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    EXPECT_EQ(getrlimit(resource_, &before_), 0);
    const rlimit limited{soft, before_.rlim_max};
    EXPECT_EQ(setrlimit(resource_, &limited), 0);
  }
  ~ProcessLimit() {
    EXPECT_EQ(setrlimit(resource_, &before_), 0);
    std::signal(SIGXFSZ, handler_);
  }
  ProcessLimit(const ProcessLimit&) = delete;
  ProcessLimit& operator=(const ProcessLimit&) = delete;

 private:
  const __rlimit_resource resource_;
  void (*const handler_)(int);
  rlimit before_{};
};

}  // namespace sonde
