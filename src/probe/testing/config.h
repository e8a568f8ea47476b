// SPDX-License-Identifier: Apache-2.0
// How tests of the kernel side load it: as SONDE_TEST_FRONT_END says, else with the best front end.
#pragma once
#include <cstdlib>

#include "probe/probe.h"

namespace sonde::probe::testing {

inline ProbeConfig config() {
  const char* name = std::getenv("SONDE_TEST_FRONT_END");
  return {
      .drop_privileges = false, .exclude_self = false, .front_end = front_end_of(name ? name : "")};
}

}  // namespace sonde::probe::testing
