// SPDX-License-Identifier: Apache-2.0
#include "base/crc32c.h"

#include <array>
#include <cstring>

#ifdef __SSE4_2__
#include <nmmintrin.h>
#endif

namespace sonde {
namespace {

#ifndef __SSE4_2__
constexpr std::array<uint32_t, 256> kTable = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) ? 0x82f63b78U : 0);
    table[i] = value;
  }
  return table;
}();
#endif

}  // namespace

uint32_t crc32c(std::string_view bytes, uint32_t before) {
  uint32_t sum = ~before;
  const char* at = bytes.data();
  size_t left = bytes.size();
#ifdef __SSE4_2__
  uint64_t wide = sum;
  for (; left >= 8; left -= 8, at += 8) {
    uint64_t word = 0;
    std::memcpy(&word, at, 8);
    wide = _mm_crc32_u64(wide, word);
  }
  sum = static_cast<uint32_t>(wide);
  for (; left > 0; --left, ++at) sum = _mm_crc32_u8(sum, static_cast<uint8_t>(*at));
#else
  for (; left > 0; --left, ++at) {
    sum = (sum >> 8) ^ kTable[(sum ^ static_cast<uint8_t>(*at)) & 0xff];
  }
#endif
  return ~sum;
}

}  // namespace sonde
