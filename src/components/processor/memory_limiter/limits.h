// SPDX-License-Identifier: Apache-2.0
// The limits that settings of the processor memory_limiter mean on a machine.
#pragma once

#include <cstdint>

#include "base/result.h"

namespace sonde::memory_limiter {

struct Settings {
  uint64_t limit_mib = 0;
  uint64_t spike_limit_mib = 0;
  uint32_t limit_percentage = 0;
  uint32_t spike_limit_percentage = 0;
};

struct Limits {
  uint64_t hard = 0;  // Bytes.
  uint64_t soft = 0;  // The hard limit less the spike: data is refused above.
};

// `limit_mib` wins over percentages of `total` bytes. Without a spike limit it is a fifth. The
// error (Invalid) where no limit is set, or the spike is not below it.
Result<Limits> limits_of(const Settings& settings, uint64_t total);

}  // namespace sonde::memory_limiter
