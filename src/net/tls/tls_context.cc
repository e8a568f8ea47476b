// SPDX-License-Identifier: Apache-2.0
#include "net/internal/tls_context.h"

#include <fmt/format.h>
#include <openssl/err.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "base/counters.h"
#include "base/log.h"

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

Result<> set_up_client(SSL_CTX* context, const TlsContext& owner, const TlsFiles& from) {
  const TlsSettings& settings = owner.settings;
  const bool own = !settings.ca_file.empty() || !settings.ca_pem.empty();
  if (own) TRY(believe(context, from.ca, false));
  if (!own || settings.include_system_ca_certs_pool) believe_the_system(context);
  SSL_CTX_set_verify(context, settings.insecure_skip_verify ? SSL_VERIFY_NONE : SSL_VERIFY_PEER,
                     nullptr);
  SSL_CTX_set_alpn_protos(context, unsigned_of(owner.protocols),
                          static_cast<unsigned>(owner.protocols.size()));
  return {};
}

Result<> set_up_server(SSL_CTX* context, const TlsContext& owner, const TlsFiles& from) {
  if (!owner.settings.client_ca_file.empty()) {
    TRY(believe(context, from.client_ca, true));
    if (owner.settings.include_system_ca_certs_pool) believe_the_system(context);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    static constexpr unsigned char kSession[] = "sonde";  // Sessions of mTLS need a context.
    SSL_CTX_set_session_id_context(context, kSession, sizeof kSession - 1);
  }
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, const_cast<TlsContext*>(&owner));
  return {};
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

std::string openssl_reason() {
  const error_code error = take_openssl_error();
  return error ? error.message() : "it cannot be read";
}

Result<OpensslContext> TlsContext::build(const TlsFiles& from) const {
  OpensslContext made(SSL_CTX_new(client ? TLS_client_method() : TLS_server_method()));
  SSL_CTX* const context = made.get();
  if (context == nullptr) return fail(ErrorKind::Internal, openssl_reason());
  TRY(apply_choices(context, settings));
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  TRY(identify(context, from.cert, from.key));
  TRY(client ? set_up_client(context, *this, from) : set_up_server(context, *this, from));
  return made;
}

// Only what has changed costs more than reading the files. A file that cannot be used leaves in
// place what was read before: a certificate that is being written must not turn senders away.
void TlsContext::reload() const {
  Duration interval = settings.reload_interval;
  if (settings.client_ca_file_reload && !settings.client_ca_file.empty()) {
    const Duration other = settings.client_ca_file_interval;
    interval = interval.count() <= 0 ? other : std::min(interval, other);
  }
  if (interval.count() <= 0 || Steady::now() - looked_ < interval) return;
  looked_ = Steady::now();
  const auto load = [&]() -> Result<> {
    TlsFiles now = TRY(load_tls_files(settings));
    if (!settings.client_ca_file_reload) now.client_ca = files_.client_ca;
    if (settings.reload_interval.count() <= 0) {
      now = {files_.ca, files_.cert, files_.key, std::move(now.client_ca)};
    }
    if (now == files_) return {};
    openssl_ = TRY(build(now));
    files_ = std::move(now);
    log_info("tls: read changed certificates: {}",
             client ? files_.ca.setting : files_.cert.setting);
    return {};
  };
  const auto loaded = load();
  const std::string failure = loaded ? std::string() : loaded.error().message;
  if (!failure.empty()) {
    static Counter& failed = counter("sonde_tls_failed_reloads_total",
                                     "Times that changed certificates could not be used");
    failed.add(1);
    if (failure != last_failure_) {
      log_warn("tls: {}; what was read before stays in use", failure);
    }
  }
  last_failure_ = failure;
}

SSL* TlsContext::connection() const {
  const std::lock_guard lock(mutex_);
  reload();
  return SSL_new(openssl_.get());  // It keeps what it was made from.
}

Result<std::shared_ptr<TlsContext>> make_tls(const TlsSettings& settings, bool client,
                                             HttpVersion version) {
  // OpenSSL writes to sockets in a way that raises it where the peer is gone.
  std::signal(SIGPIPE, SIG_IGN);
  auto made = std::make_shared<TlsContext>();
  made->settings = settings;
  made->client = client;
  if (version != HttpVersion::Http1) made->protocols = "\x02h2";
  if (version != HttpVersion::Http2) made->protocols += "\x08http/1.1";
  made->verify = client && !settings.insecure_skip_verify;
  const auto build = [&]() -> Result<> {
    TRY(client ? check_tls(settings) : check_tls_server(settings));
    made->files_ = TRY(load_tls_files(settings));
    made->openssl_ = TRY(made->build(made->files_));
    made->looked_ = TlsContext::Steady::now();
    return {};
  };
  if (auto built = build(); !built) return std::unexpected(at("tls", std::move(built.error())));
  return made;
}

Result<TlsContextPtr> make_tls_client(const TlsSettings& settings, HttpVersion version) {
  return TlsContextPtr(TRY(make_tls(settings, true, version)));
}

Result<TlsContextPtr> make_tls_server(const TlsSettings& settings, HttpVersion version) {
  return TlsContextPtr(TRY(make_tls(settings, false, version)));
}

}  // namespace sonde::net
