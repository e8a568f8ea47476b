// SPDX-License-Identifier: Apache-2.0
#include "components/extension/oauth2client/assertion.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <memory>
#include <string_view>

#include "base/base64.h"
#include "base/digest.h"
#include "base/hex.h"
#include "base/json_writer.h"
#include "config/print.h"

namespace sonde::oauth2 {
namespace {

// RFC 4648, section 5, without padding.
std::string base64url(std::string_view bytes) {
  std::string out = encode_base64(bytes);
  while (out.ends_with('=')) out.pop_back();
  std::ranges::replace(out, '+', '-');
  std::ranges::replace(out, '/', '_');
  return out;
}

std::string head(const Assertion& assertion, std::string_view algorithm) {
  JsonWriter json;
  json.object().member("alg", algorithm);
  if (!assertion.key_id.empty()) json.member("kid", assertion.key_id);
  json.member("typ", "JWT").end();
  return json.take();
}

// A random UUID (RFC 9562, section 5.4).
std::string uuid() {
  std::string bytes = random_secret(16);
  bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);
  std::string out = to_hex(bytes);
  for (const size_t at : {8, 13, 18, 23}) out.insert(at, 1, '-');
  return out;
}

std::string claims(const Assertion& assertion) {
  config::Value all = config::Value::map();
  all.set("iss", config::Value::string(assertion.iss));
  all.set("sub", config::Value::string(assertion.sub));
  all.set("aud", config::Value::string(assertion.aud));
  all.set("jti", config::Value::string(uuid()));
  all.set("iat", config::Value::integer_value(assertion.now_seconds));
  all.set("exp", config::Value::integer_value(assertion.now_seconds + 30 * 60));
  if (!assertion.scope.empty()) all.set("scope", config::Value::string(assertion.scope));
  for (const config::Entry& entry : assertion.claims.entries) all.set(entry.key, entry.value);
  return config::to_json(all);
}

}  // namespace

Result<std::string> sign(const Assertion& assertion) {
  const std::string algorithm = assertion.algorithm.empty() ? "RS256" : assertion.algorithm;
  const EVP_MD* hash = algorithm == "RS512"   ? EVP_sha512()
                       : algorithm == "RS384" ? EVP_sha384()
                                              : EVP_sha256();
  const std::unique_ptr<BIO, int (*)(BIO*)> text(
      BIO_new_mem_buf(assertion.key_pem.data(), static_cast<int>(assertion.key_pem.size())),
      BIO_free);
  // Nobody is asked for a passphrase.
  const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key(
      PEM_read_bio_PrivateKey(
          text.get(), nullptr, [](char*, int, int, void*) { return 0; }, nullptr),
      EVP_PKEY_free);
  if (!key || EVP_PKEY_base_id(key.get()) != EVP_PKEY_RSA) {
    return fail(ErrorKind::Invalid, "client_certificate_key is no RSA private key in PEM");
  }
  std::string out = base64url(head(assertion, algorithm)) + "." + base64url(claims(assertion));
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(),
                                                                   EVP_MD_CTX_free);
  const auto* bytes = reinterpret_cast<const unsigned char*>(out.data());
  size_t size = 0;
  std::string signature;
  bool made = EVP_DigestSignInit(context.get(), nullptr, hash, nullptr, key.get()) == 1 &&
              EVP_DigestSign(context.get(), nullptr, &size, bytes, out.size()) == 1;
  if (made) {
    signature.resize(size);
    made = EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                          bytes, out.size()) == 1;
  }
  if (!made) return fail(ErrorKind::Invalid, "client_certificate_key cannot sign");
  signature.resize(size);
  return out + "." + base64url(signature);
}

}  // namespace sonde::oauth2
