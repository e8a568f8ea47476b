// SPDX-License-Identifier: Apache-2.0
// CRC-32C (Castagnoli, RFC 3720 appendix B.4), by the processor's own instruction where it has one.
#pragma once
#include <cstdint>
#include <string_view>

namespace sonde {

// Continues from the sum of the bytes before: crc32c("ab") == crc32c("b", crc32c("a")).
uint32_t crc32c(std::string_view bytes, uint32_t before = 0);

}  // namespace sonde
