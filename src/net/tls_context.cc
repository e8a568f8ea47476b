// SPDX-License-Identifier: Apache-2.0
#include "net/internal/tls_context.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>

namespace sonde::net {
namespace {

class OpensslCategory final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "openssl"; }
  std::string message(int code) const override {
    const char* const reason = ERR_reason_error_string(static_cast<unsigned long>(code));
    return reason == nullptr ? fmt::format("TLS error {:x}", code) : reason;
  }
};

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

std::string last_reason() {
  const error_code error = take_openssl_error();
  return error ? error.message() : "it cannot be read";
}

// A setting comes as a file or as the text itself.
struct Pem {
  std::string setting;  // as messages name it
  std::string text;
};

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

Result<> believe(SSL_CTX* context, const Pem& pem, bool name_to_clients) {
  for (const Certificate& certificate : TRY(certificates_of(pem))) {
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate.get()) != 1) {
      return wrong(pem.setting, last_reason());
    }
    if (name_to_clients) SSL_CTX_add_client_CA(context, certificate.get());
  }
  return {};
}

int refuse_password(char*, int, int, void*) { return 0; }

Result<> identify(SSL_CTX* context, const TlsSettings& settings) {
  if (settings.cert_file.empty() && settings.cert_pem.empty()) return {};
  const Pem cert = TRY(load("cert", settings.cert_file, settings.cert_pem));
  const auto chain = TRY(certificates_of(cert));
  if (SSL_CTX_use_certificate(context, chain.front().get()) != 1) {
    return wrong(cert.setting, last_reason());
  }
  for (size_t i = 1; i < chain.size(); ++i) SSL_CTX_add1_chain_cert(context, chain[i].get());
  const Pem key = TRY(load("key", settings.key_file, settings.key_pem));
  const auto in = reader_of(key);
  const std::unique_ptr<EVP_PKEY, FreeKey> read(
      PEM_read_bio_PrivateKey(in.get(), nullptr, refuse_password, nullptr));
  if (!read) return wrong(key.setting, "it holds no private key: " + last_reason());
  if (SSL_CTX_use_PrivateKey(context, read.get()) != 1) {
    return wrong(key.setting, fmt::format("it does not fit {}: {}", cert.setting, last_reason()));
  }
  return {};
}

int version_of(std::string_view text) {
  if (text == "1.0") return TLS1_VERSION;
  if (text == "1.1") return TLS1_1_VERSION;
  if (text == "1.2") return TLS1_2_VERSION;
  if (text == "1.3") return TLS1_3_VERSION;
  return 0;
}

const unsigned char* unsigned_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

int choose_protocol(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in,
                    unsigned in_size, void* user) {
  const std::string& ours = static_cast<const TlsContext*>(user)->protocols;
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, size, unsigned_of(ours), static_cast<unsigned>(ours.size()),
                            in, in_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

Result<std::shared_ptr<TlsContext>> make(const TlsSettings& settings, bool client,
                                         HttpVersion version) {
  TRY(check_tls(settings));
  // OpenSSL writes to sockets in a way that raises it where the peer is gone.
  std::signal(SIGPIPE, SIG_IGN);
  auto made = std::make_shared<TlsContext>();
  made->client = client;
  made->protocols = version == HttpVersion::Http2 ? "\x02h2" : "\x08http/1.1";
  made->server_name_override = settings.server_name_override;
  made->verify = client && !settings.insecure_skip_verify;
  made->openssl.reset(SSL_CTX_new(client ? TLS_client_method() : TLS_server_method()));
  SSL_CTX* const context = made->openssl.get();
  if (context == nullptr) return fail(ErrorKind::Internal, "TLS: " + last_reason());
  SSL_CTX_set_min_proto_version(context, version_of(settings.min_version));
  SSL_CTX_set_max_proto_version(context, version_of(settings.max_version));
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  TRY(identify(context, settings));
  return made;
}

}  // namespace

bool offers(const TlsContext& context, std::string_view protocol) {
  std::string_view left = context.protocols;
  while (!left.empty()) {
    const size_t size = static_cast<unsigned char>(left.front());
    if (left.substr(1, size) == protocol) return true;
    left.remove_prefix(1 + size);
  }
  return false;
}

error_code take_openssl_error() {
  static const OpensslCategory category;
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  return code == 0 ? error_code() : error_code(static_cast<int>(code), category);
}

Result<> check_tls(const TlsSettings& s) {
  const auto both = [](const std::string& file, const std::string& pem) {
    return !file.empty() && !pem.empty();
  };
  if (both(s.ca_file, s.ca_pem))
    return fail(ErrorKind::Invalid, "ca_file and ca_pem exclude each other");
  if (both(s.cert_file, s.cert_pem)) {
    return fail(ErrorKind::Invalid, "cert_file and cert_pem exclude each other");
  }
  if (both(s.key_file, s.key_pem))
    return fail(ErrorKind::Invalid, "key_file and key_pem exclude each other");
  const bool cert = !s.cert_file.empty() || !s.cert_pem.empty();
  const bool key = !s.key_file.empty() || !s.key_pem.empty();
  if (cert != key)
    return fail(ErrorKind::Invalid, "provide both a certificate and its key, or neither");
  const int least = version_of(s.min_version);
  const int most = version_of(s.max_version);
  if (least == 0 && !s.min_version.empty()) {
    return wrong("min_version", fmt::format("\"{}\" is none of 1.0, 1.1, 1.2, 1.3", s.min_version));
  }
  if (most == 0 && !s.max_version.empty()) {
    return wrong("max_version", fmt::format("\"{}\" is none of 1.0, 1.1, 1.2, 1.3", s.max_version));
  }
  if (most != 0 && least > most)
    return fail(ErrorKind::Invalid, "min_version is above max_version");
  return {};
}

Result<TlsContextPtr> make_tls_client(const TlsSettings& settings, HttpVersion version) {
  auto made = make(settings, true, version);
  if (!made) return std::unexpected(at("tls", std::move(made.error())));
  SSL_CTX* const context = (*made)->openssl.get();
  const bool own = !settings.ca_file.empty() || !settings.ca_pem.empty();
  if (own) {
    auto read = [&]() -> Result<> {
      return believe(context, TRY(load("ca", settings.ca_file, settings.ca_pem)), false);
    }();
    if (!read) return std::unexpected(at("tls", std::move(read.error())));
  }
  if (!own || settings.include_system_ca_certs_pool) SSL_CTX_set_default_verify_paths(context);
  SSL_CTX_set_verify(context, settings.insecure_skip_verify ? SSL_VERIFY_NONE : SSL_VERIFY_PEER,
                     nullptr);
  const std::string& protocols = (*made)->protocols;
  SSL_CTX_set_alpn_protos(context, unsigned_of(protocols), static_cast<unsigned>(protocols.size()));
  return TlsContextPtr(std::move(*made));
}

Result<TlsContextPtr> make_tls_server(const TlsSettings& settings, HttpVersion version) {
  if (settings.cert_file.empty() && settings.cert_pem.empty()) {
    return wrong("tls", "a server needs a certificate: cert_file and key_file");
  }
  auto made = make(settings, false, version);
  if (!made) return std::unexpected(at("tls", std::move(made.error())));
  SSL_CTX* const context = (*made)->openssl.get();
  if (!settings.client_ca_file.empty()) {
    auto read = [&]() -> Result<> {
      return believe(context, TRY(load("client_ca", settings.client_ca_file, "")), true);
    }();
    if (!read) return std::unexpected(at("tls", std::move(read.error())));
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    static constexpr unsigned char kSession[] = "sonde";  // Sessions of mTLS need a context.
    SSL_CTX_set_session_id_context(context, kSession, sizeof kSession - 1);
  }
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, made->get());
  return TlsContextPtr(std::move(*made));
}

}  // namespace sonde::net
