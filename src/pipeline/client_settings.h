// SPDX-License-Identifier: Apache-2.0
//
// Settings that clients of HTTP and gRPC share, named as the Collector names them.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/field.h"
#include "net/compression/compression.h"
#include "pipeline/tls_settings.h"

namespace sonde::pipeline {

struct ClientSettings {
  std::string endpoint;
  std::map<std::string, std::string> headers;
  std::string compression = "gzip";
  TlsClientSettings tls;
};

// To be embedded: embed(&Config::client, kClientFields).
inline constexpr auto kClientFields = config::fields<ClientSettings>(
    config::field("endpoint", &ClientSettings::endpoint, "Where to send, as http://host:port."),
    config::field("headers", &ClientSettings::headers, "Headers of each request.",
                  {.secret = true}),
    config::field("compression", &ClientSettings::compression,
                  "How bodies are compressed: gzip, zstd, snappy or none; over HTTP also deflate, "
                  "zlib, lz4 and x-snappy-framed."),
    config::field("tls", &ClientSettings::tls, kTlsClientFields, "Encryption."));

// Whether a gRPC connection is encrypted: by the scheme, else by `tls`.
inline bool uses_tls(const ClientSettings& settings) {
  if (settings.endpoint.starts_with("https://")) return true;
  return !settings.endpoint.starts_with("http://") && settings.tls.wanted();
}

// Call from Config::validate(). Over HTTP encryption is refused: it is not there yet, and data that
// goes out in the clear by surprise is worse than a process that does not start.
inline Result<> check_client(const ClientSettings& settings, net::Carrier carrier) {
  if (settings.endpoint.empty()) return fail(ErrorKind::Invalid, "\"endpoint\" is required");
  if (auto checked = net::check_tls(settings.tls); !checked) {
    return std::unexpected(at("tls", std::move(checked.error())));
  }
  if (carrier == net::Carrier::Grpc || !uses_tls(settings)) return {};
  if (settings.endpoint.starts_with("https://")) {
    return fail(ErrorKind::Invalid,
                "endpoint: https is not supported yet; write http:// to send in the clear");
  }
  return fail(ErrorKind::Invalid,
              "tls is not supported yet; set tls::insecure to true to send in the clear");
}

}  // namespace sonde::pipeline
