// SPDX-License-Identifier: Apache-2.0
// The tables of `tls` settings of clients and servers, named as the Collector names them.
#pragma once

#include "config/field.h"
#include "net/tls/tls.h"

namespace sonde::pipeline {

// What the Collector can keep a key in and Sonde cannot. Taken where it is off.
struct TpmSettings {
  bool enabled = false;
  std::string path, owner_auth, auth;
};

struct TlsClientSettings : net::TlsSettings {
  TpmSettings tpm;
  bool insecure = false;

  // Whether a connection without a scheme is encrypted: with an authority of its own it is, even
  // where `insecure` is set.
  bool wanted() const { return !insecure || !ca_file.empty() || !ca_pem.empty(); }
};

struct TlsServerSettings : net::TlsSettings {
  TpmSettings tpm;
};

inline constexpr auto kTpmFields = config::fields<TpmSettings>(
    config::field("enabled", &TpmSettings::enabled, "Not there yet: must be false."),
    config::field("path", &TpmSettings::path, "The device."),
    config::field("owner_auth", &TpmSettings::owner_auth, "Its password.", {.secret = true}),
    config::field("auth", &TpmSettings::auth, "The key's password.", {.secret = true}));

// Call from Config::validate(), for `tls` of a client or a server.
inline Result<> check_tls_settings(const TlsClientSettings& settings) {
  if (settings.tpm.enabled) return fail(ErrorKind::Invalid, "tpm: it is not supported");
  return net::check_tls(settings);
}
inline Result<> check_tls_settings(const TlsServerSettings& settings) {
  if (settings.tpm.enabled) return fail(ErrorKind::Invalid, "tpm: it is not supported");
  return net::check_tls_server(settings);
}

#define SONDE_TLS_FIELDS(Settings)                                                                \
  config::field("ca_file", &Settings::ca_file, "Certificates of whom to believe, as PEM."),       \
      config::field("ca_pem", &Settings::ca_pem, "The same as text.", {.secret = true}),          \
      config::field("cert_file", &Settings::cert_file, "Our certificate and its chain, as PEM."), \
      config::field("cert_pem", &Settings::cert_pem, "The same as text.", {.secret = true}),      \
      config::field("key_file", &Settings::key_file, "The key of our certificate, as PEM."),      \
      config::field("key_pem", &Settings::key_pem, "The same as text.", {.secret = true}),        \
      config::field("min_version", &Settings::min_version, "The oldest TLS to speak.",            \
                    {.choices = "|1.0|1.1|1.2|1.3", .null_is_absent = true}),                     \
      config::field("max_version", &Settings::max_version, "The newest TLS to speak.",            \
                    {.choices = "|1.0|1.1|1.2|1.3"}),                                             \
      config::field("include_system_ca_certs_pool", &Settings::include_system_ca_certs_pool,      \
                    "Believe the system's authorities besides ca_file."),                         \
      config::field("cipher_suites", &Settings::cipher_suites, "Which to use up to TLS 1.2."),    \
      config::field("include_insecure_cipher_suites", &Settings::include_insecure_cipher_suites,  \
                    "Let cipher_suites name weak ones."),                                         \
      config::field("curve_preferences", &Settings::curve_preferences,                            \
                    "P256, P384, P521, X25519, X25519MLKEM768: the best first."),                 \
      config::field("reload_interval", &Settings::reload_interval,                                \
                    "Read certificates and authorities again after so long; 0 or less: never."),  \
      config::field("tpm", &Settings::tpm, kTpmFields, "A key in a trusted platform module.")

inline constexpr auto kTlsClientFields = config::fields<TlsClientSettings>(
    SONDE_TLS_FIELDS(TlsClientSettings),
    config::field("insecure", &TlsClientSettings::insecure,
                  "Send in the clear, for endpoints without scheme."),
    config::field("insecure_skip_verify", &TlsClientSettings::insecure_skip_verify,
                  "Believe any certificate of the peer."),
    config::field("server_name_override", &TlsClientSettings::server_name_override,
                  "The name to ask for and to check, instead of the endpoint's host."));

inline constexpr auto kTlsServerFields = config::fields<TlsServerSettings>(
    SONDE_TLS_FIELDS(TlsServerSettings),
    config::field("client_ca_file", &TlsServerSettings::client_ca_file,
                  "Clients need a certificate that one of these has signed (mTLS)."),
    config::field("client_ca_file_reload", &TlsServerSettings::client_ca_file_reload,
                  "Look at client_ca_file again, once a second at most."));

#undef SONDE_TLS_FIELDS

}  // namespace sonde::pipeline
