// SPDX-License-Identifier: Apache-2.0
//
// Settings that clients of HTTP and gRPC share, named as the Collector names them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/field.h"
#include "net/compression/compression.h"
#include "pipeline/auth/authenticator.h"
#include "pipeline/settings/tls_settings.h"

namespace sonde::pipeline {

struct ClientSettings {
  std::string endpoint;
  std::map<std::string, std::string> headers;
  std::string compression = "gzip";
  TlsClientSettings tls;
  std::optional<AuthSettings> auth;
};

// To be embedded: embed(&Config::client, kClientFields).
inline constexpr auto kClientFields = config::fields<ClientSettings>(
    config::field("endpoint", &ClientSettings::endpoint, "Where to send, as http://host:port.",
                  {.url = true}),
    config::field("headers", &ClientSettings::headers, "Headers of each request.",
                  {.pairs = true, .secret = true}),
    config::field("compression", &ClientSettings::compression,
                  "How bodies are compressed: gzip, zstd, snappy or none; over HTTP also deflate, "
                  "zlib, lz4 and x-snappy-framed."),
    config::field("tls", &ClientSettings::tls, kTlsClientFields, "Encryption."),
    config::field("auth", &ClientSettings::auth, kAuthFields,
                  "Who adds what the peer asks for to each request."));

// Whether connections are encrypted: by the scheme, else by `tls`.
inline bool uses_tls(const ClientSettings& settings) {
  if (settings.endpoint.starts_with("https://")) return true;
  return !settings.endpoint.starts_with("http://") && settings.tls.wanted();
}

// Call from Config::validate().
inline Result<> check_client_tls(const ClientSettings& settings) {
  if (auto checked = check_tls_settings(settings.tls); !checked) {
    return std::unexpected(at("tls", std::move(checked.error())));
  }
  return {};
}

// The same, and whether there is an endpoint.
inline Result<> check_client(const ClientSettings& settings) {
  if (settings.endpoint.empty()) return fail(ErrorKind::Invalid, "\"endpoint\" is required");
  return check_client_tls(settings);
}

}  // namespace sonde::pipeline
