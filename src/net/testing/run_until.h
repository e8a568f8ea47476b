// SPDX-License-Identifier: Apache-2.0
// For tests that serve a loop themselves.
#pragma once

#include <chrono>

#include "net/loop.h"

namespace sonde::net {

// Runs the loop until the check holds, and says whether it does within the limit. The check is made
// between two turns of the loop, a millisecond apart at the most.
template <class Check>
bool run_until(Loop& loop, Check check, Duration limit = std::chrono::seconds(30)) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!check()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    loop.run_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace sonde::net
