// SPDX-License-Identifier: Apache-2.0
//
// Settings that clients of HTTP and gRPC share, named as the Collector names them. Encryption is
// not there yet: check_client refuses what would need it, since data that goes out in the clear by
// surprise is worse than a process that does not start.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/field.h"

namespace sonde::pipeline {

struct TlsClientSettings {
  bool insecure = false;
};

struct ClientSettings {
  std::string endpoint;
  std::map<std::string, std::string> headers;
  std::string compression = "gzip";
  TlsClientSettings tls;
};

inline constexpr auto kTlsClientFields = config::fields<TlsClientSettings>(config::field(
    "insecure", &TlsClientSettings::insecure, "Send in the clear, for endpoints without scheme."));
// To be embedded: embed(&Config::client, kClientFields).
inline constexpr auto kClientFields = config::fields<ClientSettings>(
    config::field("endpoint", &ClientSettings::endpoint, "Where to send, as http://host:port."),
    config::field("headers", &ClientSettings::headers, "Headers of each request.",
                  {.secret = true}),
    config::field("compression", &ClientSettings::compression,
                  "How bodies are compressed: gzip, zstd, snappy or none; over HTTP also deflate, "
                  "zlib, lz4 and x-snappy-framed."),
    config::field("tls", &ClientSettings::tls, kTlsClientFields, "Encryption."));

// Call from Config::validate().
inline Result<> check_client(const ClientSettings& settings) {
  const std::string_view endpoint = settings.endpoint;
  if (endpoint.empty()) return fail(ErrorKind::Invalid, "\"endpoint\" is required");
  if (endpoint.starts_with("https://")) {
    return fail(ErrorKind::Invalid,
                "endpoint: https is not supported yet; write http:// to send in the clear");
  }
  if (!endpoint.starts_with("http://") && !settings.tls.insecure) {
    return fail(ErrorKind::Invalid,
                "tls is not supported yet; set tls::insecure to true to send in the clear");
  }
  return {};
}

}  // namespace sonde::pipeline
