// SPDX-License-Identifier: Apache-2.0
#include "components/extension/basicauth/md5_crypt.h"

#include <cstddef>
#include <cstdint>

#include "base/digest.h"

namespace sonde::basicauth {
namespace {

std::string md5(std::string_view text) { return raw_digest(Digest::Md5, text); }

// Least significant six bits first, of three bytes of the hash.
void append_digits(std::string& out, const std::string& hash, int high, int middle, int low,
                   int digits) {
  constexpr std::string_view kDigits =
      "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  const auto byte = [&](int index) -> uint32_t {
    return index < 0 ? 0 : static_cast<unsigned char>(hash[static_cast<size_t>(index)]);
  };
  uint32_t bits = byte(high) << 16 | byte(middle) << 8 | byte(low);
  for (; digits > 0; --digits, bits >>= 6) out += kDigits[bits & 63];
}

}  // namespace

std::string md5_crypt(std::string_view password, std::string_view salt, std::string_view prefix) {
  std::string inner(password);
  inner.append(salt).append(password);
  const std::string alternate = md5(inner);

  std::string text(password);
  text.append(prefix).append(salt);
  for (size_t left = password.size(); left > 0;) {
    const size_t part = left < 16 ? left : 16;
    text.append(alternate, 0, part);
    left -= part;
  }
  for (size_t bits = password.size(); bits > 0; bits >>= 1) {
    text += (bits & 1) != 0 ? '\0' : password[0];
  }
  std::string hash = md5(text);
  for (int round = 0; round < 1000; ++round) {
    const bool odd = (round & 1) != 0;
    text = odd ? std::string(password) : hash;
    if (round % 3 != 0) text.append(salt);
    if (round % 7 != 0) text.append(password);
    text.append(odd ? std::string_view(hash) : password);
    hash = md5(text);
  }

  std::string out;
  append_digits(out, hash, 0, 6, 12, 4);
  append_digits(out, hash, 1, 7, 13, 4);
  append_digits(out, hash, 2, 8, 14, 4);
  append_digits(out, hash, 3, 9, 15, 4);
  append_digits(out, hash, 4, 10, 5, 4);
  append_digits(out, hash, -1, -1, 11, 2);
  return out;
}

}  // namespace sonde::basicauth
