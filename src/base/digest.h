// SPDX-License-Identifier: Apache-2.0
// Hashes, and how secrets are compared. As lower-case hexadecimal text, as processors write them
// into attributes, nothing stays secret but by the keyed ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sonde {

enum class Digest : uint8_t { Md5, Sha1, Sha256, Sha512, Sha3_256 };

std::string hex_digest(Digest digest, std::string_view text);
// The bytes of the hash.
std::string raw_digest(Digest digest, std::string_view text);
// HMAC (RFC 2104).
std::string hex_hmac(Digest digest, std::string_view key, std::string_view text);

// Takes as long wherever two texts of one length differ.
bool same_secret(std::string_view a, std::string_view b);
// Bytes that nobody can guess.
std::string random_secret(size_t bytes);

}  // namespace sonde
