// SPDX-License-Identifier: Apache-2.0
// What `verbosity: normal` prints: a line for each span, log record or data point, with what says
// the most of it, the attributes last.
#pragma once

#include <string>

#include "data/batch.h"

namespace sonde::debug {

// Malformed bytes end the text after the records that were whole.
std::string lines_of(const Batch& batch);

}  // namespace sonde::debug
