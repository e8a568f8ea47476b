// SPDX-License-Identifier: Apache-2.0
// Encryption for clients and servers: the settings as a configuration names them, made into a
// context once and shared by all connections. Files are read when the context is made, and again
// as the settings say; connections that are open keep what they began with.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace sonde::net {

struct TlsSettings {
  std::string ca_file, ca_pem;  // whom a client believes; the system's roots when both are empty
  std::string cert_file, cert_pem;  // our certificate, followed by its chain
  std::string key_file, key_pem;
  std::string client_ca_file;  // server: clients need a certificate of one of these (mTLS)
  std::string
      server_name_override;  // client: the name to ask for and to check, instead of the host
  bool insecure_skip_verify = false;          // client: believe any certificate
  bool include_system_ca_certs_pool = false;  // the system's roots besides ca_* or client_ca_file
  std::string min_version = "1.2";            // "1.0" to "1.3"
  std::string max_version;                    // empty: the newest
  // Names of RFC 5246 and its like; those of TLS 1.3 are taken and always on. Empty: OpenSSL's own.
  std::vector<std::string> cipher_suites;
  bool include_insecure_cipher_suites = false;  // whether cipher_suites may name weak ones
  std::vector<std::string> curve_preferences;   // the first is liked best; empty: OpenSSL's own
  // How long files count as unchanged; 0: for ever. They are looked at when a connection begins.
  Duration reload_interval{};
  bool client_ca_file_reload = false;                          // client_ca_file is looked at
  Duration client_ca_file_interval = std::chrono::seconds(1);  // this often
};

// What can be said before any file is read. The messages name the setting.
Result<> check_tls(const TlsSettings& settings);
// The same for a server, which needs a certificate.
Result<> check_tls_server(const TlsSettings& settings);

struct TlsContext;  // internal
using TlsContextPtr = std::shared_ptr<const TlsContext>;

// What is offered and chosen by ALPN (RFC 7301). A peer that does not use it is taken to know.
enum class HttpVersion : uint8_t { Http2, Http1, Http2OrHttp1 };

// Invalid with the setting, the file and what is wrong with it. Files that are read again later and
// have become wrong are reported in the log and counted; what was read before goes on.
Result<TlsContextPtr> make_tls_client(const TlsSettings& settings,
                                      HttpVersion version = HttpVersion::Http2);
Result<TlsContextPtr> make_tls_server(const TlsSettings& settings,
                                      HttpVersion version = HttpVersion::Http2);

}  // namespace sonde::net
