// SPDX-License-Identifier: Apache-2.0
// The waits between tries: they grow by a factor up to a bound, and each is spread at random.
#pragma once

#include <algorithm>
#include <cmath>
#include <random>

#include "pipeline/queue/sending_settings.h"

namespace sonde::pipeline {

// The next wait, and `interval` grown. It begins at settings.initial_interval. Settings may ask for
// no wait at all, which no peer that is down is helped by: a wait is never under a millisecond.
template <class Random>
Duration next_wait(const RetrySettings& settings, Duration& interval, Random& random) {
  const auto base = static_cast<double>(interval.count());
  const double spread = settings.randomization_factor;
  std::uniform_real_distribution<double> factor(1 - spread, std::nextafter(1 + spread, 3.0));
  const double grown =
      std::min(base * settings.multiplier, static_cast<double>(settings.max_interval.count()));
  interval = Duration(static_cast<int64_t>(grown));
  return std::max<Duration>(std::chrono::milliseconds(1),
                            Duration(static_cast<int64_t>(base * factor(random))));
}

}  // namespace sonde::pipeline
