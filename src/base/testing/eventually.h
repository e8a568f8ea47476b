// SPDX-License-Identifier: Apache-2.0
// For tests that wait for what another thread does.
#pragma once

#include <chrono>
#include <thread>

namespace sonde {

// Whether the check holds within half a minute; returns as soon as it does.
template <class Check>
bool eventually(Check check) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!check()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace sonde
