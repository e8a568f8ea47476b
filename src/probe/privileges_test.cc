// SPDX-License-Identifier: Apache-2.0
// In a child process each time: what is given up does not come back.
#include "probe/privileges.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "base/testing/sanitizer.h"
#include "probe/process_names.h"

namespace sonde::probe {
namespace {

// Whether the calling thread holds nothing but what may stay.
bool dropped() {
  const std::string status =
      names::read_file("/proc/self/task/" + std::to_string(gettid()) + "/status", 16384);
  const size_t place = status.find("CapPrm:\t");
  if (place == std::string::npos) return false;
  constexpr uint64_t kMayStay = 1u << 19 | 1u << 2;
  return (std::strtoull(status.c_str() + place + 8, nullptr, 16) & ~kMayStay) == 0 &&
         prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

int in_child(const std::function<bool()>& check) {
  const pid_t child = fork();
  if (child == 0) _exit(check() ? 0 : 1);
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

TEST(Privileges, EveryThreadGivesThemUp) {
  if (testing::kThreadSanitizer)
    GTEST_SKIP() << "a forked child has a thread that takes no signals";
  EXPECT_EQ(in_child([] {
              std::latch ready(4);
              std::latch go(1);
              std::atomic<int> good = 0;
              std::vector<std::thread> threads;
              for (int i = 0; i < 4; i++) {
                threads.emplace_back([&] {
                  ready.count_down();
                  go.wait();
                  good += dropped();
                });
              }
              ready.wait();
              const bool done = drop_privileges();
              go.count_down();
              for (std::thread& thread : threads) thread.join();
              return done && dropped() && good == 4;
            }),
            0);
}

TEST(Privileges, MayBeGivenUpTwice) {
  if (testing::kThreadSanitizer)
    GTEST_SKIP() << "a forked child has a thread that takes no signals";
  EXPECT_EQ(in_child([] { return drop_privileges() && drop_privileges() && dropped(); }), 0);
}

}  // namespace
}  // namespace sonde::probe
