// SPDX-License-Identifier: Apache-2.0
#include "components/processor/memory_limiter/limits.h"

namespace sonde::memory_limiter {

Result<Limits> limits_of(const Settings& settings, uint64_t total) {
  constexpr uint64_t kMib = 1 << 20;
  uint64_t hard = settings.limit_mib * kMib;
  uint64_t spike = settings.spike_limit_mib * kMib;
  if (settings.limit_percentage != 0 &&
      settings.spike_limit_percentage >= settings.limit_percentage)
    return fail(ErrorKind::Invalid, "spike_limit_percentage must be smaller than limit_percentage");
  if (hard == 0) {
    if (settings.limit_percentage == 0)
      return fail(ErrorKind::Invalid, "give limit_mib or limit_percentage");
    hard = total / 100 * settings.limit_percentage;
    spike = total / 100 * settings.spike_limit_percentage;
  }
  if (spike == 0) spike = hard / 5;
  if (spike >= hard)
    return fail(ErrorKind::Invalid, "the spike limit must be smaller than the limit");
  return Limits{hard, hard - spike};
}

}  // namespace sonde::memory_limiter
