// SPDX-License-Identifier: Apache-2.0
#include "base/memory_ledger.h"

#include <algorithm>

namespace sonde {

// Constant initialised and without a destructor: storage may outlive every other static object.
constinit MemoryLedger MemoryLedger::process_;

void MemoryLedger::set_limit(size_t limit) {
  constexpr size_t kLeast = size_t{32} << 20;
  const size_t other = std::max(limit / 5, kLeast);
  limit_.store(limit, std::memory_order_relaxed);
  budget_.store(limit - std::min(limit, other), std::memory_order_relaxed);
}

}  // namespace sonde
