// SPDX-License-Identifier: Apache-2.0
// How much memory the process may take, as the command line says it.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace sonde::app {

// "512MiB", "2GiB", "1GB", "70%" of `total` bytes, or a number of bytes. "auto" and "" are what
// the environment's GOMEMLIMIT says, since deployments of the Collector set it, else 80 %; "off" in
// either place is no limit. Below 48 MiB is an error of `text`, while GOMEMLIMIT, which was set for
// another program, is raised to that with a warning.
Result<uint64_t> memory_limit(std::string_view text, uint64_t total, std::string_view gomemlimit);

}  // namespace sonde::app
