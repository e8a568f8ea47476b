// SPDX-License-Identifier: Apache-2.0
// The first byte chooses a format. The rest is decompressed under a limit, then compressed in two
// parts and decompressed again.
#include <cstdint>
#include <vector>

#include "net/compression/compression.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sonde;
  if (size < 2) return 0;
  constexpr size_t kLimit = 256 * 1024;
  const auto encoding = static_cast<net::Encoding>(data[0] % 7);
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const auto plain = net::decompress(encoding, bytes, kLimit);
  if (plain && plain->size() > kLimit) __builtin_trap();
  const size_t cut = data[1] % (bytes.size() + 1);
  const std::vector<Bytes> parts = {Bytes::copy(bytes.substr(0, cut)),
                                    Bytes::copy(bytes.substr(cut))};
  const auto packed = net::compress(encoding, parts);
  if (!packed) __builtin_trap();
  const auto again = net::decompress(encoding, packed->view(), bytes.size());
  if (!again || again->view() != bytes) __builtin_trap();
  return 0;
}
