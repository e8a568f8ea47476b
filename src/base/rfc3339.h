// SPDX-License-Identifier: Apache-2.0
// Moments as people and JSON write them.
#pragma once

#include <cstdint>
#include <string>

namespace sonde {

// As RFC 3339 writes it, in UTC, with as many digits of a second as it has (at most nine):
// "2026-01-02T03:04:05.5Z".
std::string format_rfc3339(int64_t unix_ns);

}  // namespace sonde
