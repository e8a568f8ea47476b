// SPDX-License-Identifier: Apache-2.0
#include "base/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>

#include "base/check.h"
#include "base/hex.h"

namespace sonde {
namespace {

using Bits = std::array<unsigned char, EVP_MAX_MD_SIZE>;

const EVP_MD* kind(Digest digest) {
  switch (digest) {
    case Digest::Md5:
      return EVP_md5();
    case Digest::Sha1:
      return EVP_sha1();
    case Digest::Sha256:
      return EVP_sha256();
    case Digest::Sha512:
      return EVP_sha512();
    case Digest::Sha3_256:
      return EVP_sha3_256();
  }
  return EVP_sha256();
}

}  // namespace

std::string hex_digest(Digest digest, std::string_view text) {
  return to_hex(raw_digest(digest, text));
}

std::string raw_digest(Digest digest, std::string_view text) {
  Bits bits;
  unsigned size = 0;
  CHECK(EVP_Digest(text.data(), text.size(), bits.data(), &size, kind(digest), nullptr) == 1,
        "libcrypto refuses a hash");
  return {reinterpret_cast<const char*>(bits.data()), size};
}

bool same_secret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string random_secret(size_t bytes) {
  std::string out(bytes, '\0');
  CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(bytes)) == 1,
        "libcrypto has no random bytes");
  return out;
}

std::string hex_hmac(Digest digest, std::string_view key, std::string_view text) {
  Bits bits;
  unsigned size = 0;
  CHECK(HMAC(kind(digest), key.data(), static_cast<int>(key.size()),
             reinterpret_cast<const unsigned char*>(text.data()), text.size(), bits.data(),
             &size) != nullptr,
        "libcrypto refuses a keyed hash");
  return to_hex({reinterpret_cast<const char*>(bits.data()), size});
}

}  // namespace sonde
