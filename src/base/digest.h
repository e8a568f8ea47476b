// SPDX-License-Identifier: Apache-2.0
// Hashes as lower-case hexadecimal text, as processors write them into attributes. For nothing that
// must stay secret but for the keyed ones.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sonde {

enum class Digest : uint8_t { Md5, Sha1, Sha256, Sha512, Sha3_256 };

std::string hex_digest(Digest digest, std::string_view text);
// HMAC (RFC 2104).
std::string hex_hmac(Digest digest, std::string_view key, std::string_view text);

}  // namespace sonde
