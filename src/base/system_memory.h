// SPDX-License-Identifier: Apache-2.0
// How much memory there is, that of the control group where it is less, and how much of it this
// process holds.
#pragma once

#include <cstdint>

#include "base/result.h"

namespace sonde {

// Bytes that this process may use. An error (NotFound) where the system does not say.
Result<uint64_t> total_memory();
// Bytes resident now; 0 where the system does not say.
uint64_t resident_memory();

}  // namespace sonde
