// SPDX-License-Identifier: Apache-2.0
// What OpenSSL keeps for a TlsContext, how it is made anew when files have changed, and how
// OpenSSL's errors are read.
#pragma once

#include <openssl/ssl.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "net/internal/asio.h"
#include "net/tls/tls.h"

namespace sonde::net {

// One setting, which comes as a file or as the text itself.
struct Pem {
  std::string setting;  // as messages name it
  std::string text;
  bool operator==(const Pem&) const = default;
};

// All that a context is made from, as it was read.
struct TlsFiles {
  Pem ca, cert, key, client_ca;
  bool operator==(const TlsFiles&) const = default;
};
Result<TlsFiles> load_tls_files(const TlsSettings& settings);

struct FreeTlsContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using OpensslContext = std::unique_ptr<SSL_CTX, FreeTlsContext>;

// Our certificate with its key; and the authorities to believe, which a server names to clients.
Result<> identify(SSL_CTX* context, const Pem& cert, const Pem& key);
Result<> believe(SSL_CTX* context, const Pem& authorities, bool name_to_clients);
void believe_the_system(SSL_CTX* context);

struct TlsContext {
  using Steady = std::chrono::steady_clock;

  // For a new connection, by what the files hold now.
  SSL* connection() const;

  TlsSettings settings;
  std::string protocols;  // for ALPN: each name after its length
  bool client = false;
  bool verify = true;

 private:
  friend Result<std::shared_ptr<TlsContext>> make_tls(const TlsSettings&, bool, HttpVersion);
  Result<OpensslContext> build(const TlsFiles& from) const;
  void reload() const;

  mutable std::mutex mutex_;
  mutable OpensslContext openssl_;
  mutable TlsFiles files_;
  mutable Steady::time_point looked_;
  mutable std::string last_failure_;
};

// Whether ALPN names the protocol.
bool offers(const TlsContext& context, std::string_view protocol);

// TLS1_VERSION and its like; 0 for a text that is none.
int tls_version_of(std::string_view text);
// Versions, cipher suites and curves.
Result<> apply_choices(SSL_CTX* context, const TlsSettings& settings);

// The oldest of OpenSSL's queued errors, of which the rest are forgotten.
error_code take_openssl_error();
// The same as words.
std::string openssl_reason();

}  // namespace sonde::net
