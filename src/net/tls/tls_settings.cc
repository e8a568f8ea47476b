// SPDX-License-Identifier: Apache-2.0
// Which settings fit together, and what the names of versions, cipher suites and curves are to
// OpenSSL. The names are those of Go's crypto/tls, since the Collector's users write them.
#include <fmt/format.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>

#include "base/log.h"
#include "net/internal/tls_context.h"

namespace sonde::net {
namespace {

std::unexpected<Error> wrong(std::string_view setting, std::string_view why) {
  return fail(ErrorKind::Invalid, fmt::format("{}: {}", setting, why));
}

struct Suite {
  std::string_view name;
  enum Strength : uint8_t { Strong, Weak, Tls13 } strength;
};
constexpr std::array kSuites = {
    Suite{"TLS_AES_128_GCM_SHA256", Suite::Tls13},
    Suite{"TLS_AES_256_GCM_SHA384", Suite::Tls13},
    Suite{"TLS_CHACHA20_POLY1305_SHA256", Suite::Tls13},
    Suite{"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", Suite::Strong},
    Suite{"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", Suite::Strong},
    Suite{"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", Suite::Strong},
    Suite{"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", Suite::Strong},
    Suite{"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", Suite::Strong},
    Suite{"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", Suite::Strong},
    Suite{"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", Suite::Strong},
    Suite{"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", Suite::Strong},
    Suite{"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", Suite::Strong},
    Suite{"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", Suite::Strong},
    Suite{"TLS_RSA_WITH_RC4_128_SHA", Suite::Weak},
    Suite{"TLS_RSA_WITH_3DES_EDE_CBC_SHA", Suite::Weak},
    Suite{"TLS_RSA_WITH_AES_128_CBC_SHA", Suite::Weak},
    Suite{"TLS_RSA_WITH_AES_256_CBC_SHA", Suite::Weak},
    Suite{"TLS_RSA_WITH_AES_128_CBC_SHA256", Suite::Weak},
    Suite{"TLS_RSA_WITH_AES_128_GCM_SHA256", Suite::Weak},
    Suite{"TLS_RSA_WITH_AES_256_GCM_SHA384", Suite::Weak},
    Suite{"TLS_ECDHE_ECDSA_WITH_RC4_128_SHA", Suite::Weak},
    Suite{"TLS_ECDHE_RSA_WITH_RC4_128_SHA", Suite::Weak},
    Suite{"TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", Suite::Weak},
    Suite{"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", Suite::Weak},
    Suite{"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", Suite::Weak},
};

struct Curve {
  std::string_view name;
  std::string_view openssl;
};
constexpr std::array kCurves = {Curve{"P256", "P-256"}, Curve{"P384", "P-384"},
                                Curve{"P521", "P-521"}, Curve{"X25519", "X25519"},
                                Curve{"X25519MLKEM768", "X25519MLKEM768"}};

// A cipher list of OpenSSL; empty where only those of TLS 1.3 are named.
Result<std::string> cipher_list(const TlsSettings& settings) {
  std::string list;
  for (const std::string& name : settings.cipher_suites) {
    const auto known = std::ranges::find(kSuites, name, &Suite::name);
    if (known == kSuites.end()) {
      return wrong("cipher_suites", fmt::format("\"{}\" is no cipher suite", name));
    }
    if (known->strength == Suite::Tls13) continue;
    if (known->strength == Suite::Weak && !settings.include_insecure_cipher_suites) {
      return wrong("cipher_suites",
                   fmt::format("\"{}\" is weak; include_insecure_cipher_suites allows it", name));
    }
    // OpenSSL's answer for what it was built without is a text in brackets.
    const std::string_view own = OPENSSL_cipher_name(name.c_str());
    if (own.starts_with('(')) {
      return wrong("cipher_suites", fmt::format("\"{}\" is not in this OpenSSL", name));
    }
    list += list.empty() ? "" : ":";
    list += own;
  }
  return list;
}

bool has_curve(std::string_view name) {
  const OpensslContext scratch(SSL_CTX_new(TLS_method()));
  const bool known = SSL_CTX_set1_groups_list(scratch.get(), std::string(name).c_str()) == 1;
  (void)take_openssl_error();
  return known;
}

Result<std::string> curve_list(const TlsSettings& settings) {
  std::string list;
  std::string missing;
  for (const std::string& name : settings.curve_preferences) {
    const auto known = std::ranges::find(kCurves, name, &Curve::name);
    if (known == kCurves.end()) {
      return wrong("curve_preferences",
                   fmt::format("\"{}\" is none of P256, P384, P521, X25519, X25519MLKEM768", name));
    }
    if (!has_curve(known->openssl)) {
      missing = name;
      continue;
    }
    list += list.empty() ? "" : ":";
    list += known->openssl;
  }
  if (missing.empty()) return list;
  if (list.empty()) {
    return wrong("curve_preferences", fmt::format("\"{}\" is not in this OpenSSL", missing));
  }
  log_warn("tls: curve_preferences: \"{}\" is not in this OpenSSL; the others are used", missing);
  return list;
}

}  // namespace

int tls_version_of(std::string_view text) {
  if (text == "1.0") return TLS1_VERSION;
  if (text == "1.1") return TLS1_1_VERSION;
  if (text == "1.2") return TLS1_2_VERSION;
  if (text == "1.3") return TLS1_3_VERSION;
  return 0;
}

Result<> check_tls(const TlsSettings& s) {
  const auto both = [](const std::string& file, const std::string& pem) {
    return !file.empty() && !pem.empty();
  };
  if (both(s.ca_file, s.ca_pem)) {
    return fail(ErrorKind::Invalid, "ca_file and ca_pem exclude each other");
  }
  if (both(s.cert_file, s.cert_pem)) {
    return fail(ErrorKind::Invalid, "cert_file and cert_pem exclude each other");
  }
  if (both(s.key_file, s.key_pem)) {
    return fail(ErrorKind::Invalid, "key_file and key_pem exclude each other");
  }
  const bool cert = !s.cert_file.empty() || !s.cert_pem.empty();
  const bool key = !s.key_file.empty() || !s.key_pem.empty();
  if (cert != key) {
    return fail(ErrorKind::Invalid, "provide both a certificate and its key, or neither");
  }
  const int least = tls_version_of(s.min_version);
  const int most = tls_version_of(s.max_version);
  if (least == 0 && !s.min_version.empty()) {
    return wrong("min_version", fmt::format("\"{}\" is none of 1.0, 1.1, 1.2, 1.3", s.min_version));
  }
  if (most == 0 && !s.max_version.empty()) {
    return wrong("max_version", fmt::format("\"{}\" is none of 1.0, 1.1, 1.2, 1.3", s.max_version));
  }
  if (most != 0 && (least == 0 ? TLS1_2_VERSION : least) > most) {
    return fail(ErrorKind::Invalid, "min_version is above max_version");
  }
  TRY(cipher_list(s));
  TRY(curve_list(s));
  return {};
}

Result<> check_tls_server(const TlsSettings& settings) {
  TRY(check_tls(settings));
  if (!settings.cert_file.empty() || !settings.cert_pem.empty()) return {};
  return fail(ErrorKind::Invalid, "a server needs a certificate: cert_file and key_file");
}

Result<> apply_choices(SSL_CTX* context, const TlsSettings& settings) {
  const std::string ciphers = TRY(cipher_list(settings));
  const std::string curves = TRY(curve_list(settings));
  int least = tls_version_of(settings.min_version);
  if (least == 0) least = TLS1_2_VERSION;
  // Without a suite for the older versions they cannot be spoken.
  if (ciphers.empty() && !settings.cipher_suites.empty()) least = TLS1_3_VERSION;
  SSL_CTX_set_min_proto_version(context, least);
  SSL_CTX_set_max_proto_version(context, tls_version_of(settings.max_version));
  // What came before TLS 1.2 signs with SHA-1, which OpenSSL allows at this level alone.
  if (least < TLS1_2_VERSION) SSL_CTX_set_security_level(context, 0);
  if (!ciphers.empty() && SSL_CTX_set_cipher_list(context, ciphers.c_str()) != 1) {
    return wrong("cipher_suites", openssl_reason());
  }
  if (!curves.empty() && SSL_CTX_set1_groups_list(context, curves.c_str()) != 1) {
    return wrong("curve_preferences", openssl_reason());
  }
  return {};
}

}  // namespace sonde::net
