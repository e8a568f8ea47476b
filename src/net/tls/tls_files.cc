// SPDX-License-Identifier: Apache-2.0
// Certificates and keys: from files or text into OpenSSL, with errors that name setting and file.
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <vector>

#include "net/internal/tls_context.h"

namespace sonde::net {
namespace {

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeX509 {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Certificate = std::unique_ptr<X509, FreeX509>;

std::unexpected<Error> wrong(std::string_view setting, std::string_view why) {
  return fail(ErrorKind::Invalid, fmt::format("{}: {}", setting, why));
}

Result<Pem> load(std::string_view name, const std::string& file, const std::string& pem) {
  if (file.empty()) return Pem{fmt::format("{}_pem", name), pem};
  std::ifstream in(file, std::ios::binary);
  if (!in) return wrong(fmt::format("{}_file", name), fmt::format("{}: {}", file, strerror(errno)));
  return Pem{fmt::format("{}_file: {}", name, file),
             std::string(std::istreambuf_iterator<char>(in), {})};
}

std::unique_ptr<BIO, FreeBio> reader_of(const Pem& pem) {
  return std::unique_ptr<BIO, FreeBio>(
      BIO_new_mem_buf(pem.text.data(), static_cast<int>(pem.text.size())));
}

Result<std::vector<Certificate>> certificates_of(const Pem& pem) {
  std::vector<Certificate> all;
  const auto in = reader_of(pem);
  while (X509* const next = PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)) {
    all.emplace_back(next);
  }
  const error_code ended = take_openssl_error();  // Always "no start line" at the end.
  if (all.empty()) return wrong(pem.setting, "it holds no certificate: " + ended.message());
  return all;
}

int refuse_password(char*, int, int, void*) { return 0; }

}  // namespace

Result<TlsFiles> load_tls_files(const TlsSettings& settings) {
  TlsFiles out;
  out.ca = TRY(load("ca", settings.ca_file, settings.ca_pem));
  out.cert = TRY(load("cert", settings.cert_file, settings.cert_pem));
  out.key = TRY(load("key", settings.key_file, settings.key_pem));
  out.client_ca = TRY(load("client_ca", settings.client_ca_file, ""));
  return out;
}

Result<> believe(SSL_CTX* context, const Pem& authorities, bool name_to_clients) {
  for (const Certificate& certificate : TRY(certificates_of(authorities))) {
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate.get()) != 1) {
      return wrong(authorities.setting, openssl_reason());
    }
    if (name_to_clients) SSL_CTX_add_client_CA(context, certificate.get());
  }
  return {};
}

// OpenSSL looks where it was told to when it was built, which is Debian's place; other systems keep
// their bundle elsewhere.
void believe_the_system(SSL_CTX* context) {
  SSL_CTX_set_default_verify_paths(context);
  const bool told = std::getenv(X509_get_default_cert_file_env()) != nullptr ||
                    std::getenv(X509_get_default_cert_dir_env()) != nullptr;
  if (told || ::access(X509_get_default_cert_dir(), R_OK) == 0) return;
  for (const char* const bundle :
       {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        "/etc/ssl/cert.pem"}) {
    if (::access(bundle, R_OK) != 0) continue;
    SSL_CTX_load_verify_file(context, bundle);
    break;
  }
  ERR_clear_error();
}

Result<> identify(SSL_CTX* context, const Pem& cert, const Pem& key) {
  if (cert.text.empty() && cert.setting == "cert_pem") return {};
  const auto chain = TRY(certificates_of(cert));
  if (SSL_CTX_use_certificate(context, chain.front().get()) != 1) {
    return wrong(cert.setting, openssl_reason());
  }
  for (size_t i = 1; i < chain.size(); ++i) SSL_CTX_add1_chain_cert(context, chain[i].get());
  const auto in = reader_of(key);
  const std::unique_ptr<EVP_PKEY, FreeKey> read(
      PEM_read_bio_PrivateKey(in.get(), nullptr, refuse_password, nullptr));
  if (!read) return wrong(key.setting, "it holds no private key: " + openssl_reason());
  if (SSL_CTX_use_PrivateKey(context, read.get()) != 1) {
    return wrong(key.setting,
                 fmt::format("it does not fit {}: {}", cert.setting, openssl_reason()));
  }
  return {};
}

}  // namespace sonde::net
