// SPDX-License-Identifier: Apache-2.0
// The settings of oauth2client, named as the Collector names them.
#pragma once

#include <string>
#include <vector>

#include "components/extension/oauth2client/token.h"
#include "config/field.h"
#include "net/socket/address.h"
#include "pipeline/settings/tls_settings.h"

namespace sonde::oauth2 {

inline constexpr std::string_view kClientCredentials = "client_credentials";
inline constexpr std::string_view kJwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";

struct Config {
  std::string client_id, client_id_file;
  std::string client_secret, client_secret_file;
  std::string client_certificate_key, client_certificate_key_file, client_certificate_key_id;
  std::string grant_type;
  std::string signature_algorithm, iss, audience;
  config::Value claims = config::Value::map();
  Form endpoint_params;
  std::string token_url;
  std::vector<std::string> scopes;
  pipeline::TlsClientSettings tls;
  Duration timeout{};
  Duration expiry_buffer = std::chrono::minutes(5);

  bool jwt() const { return grant_type == kJwtBearer; }
  std::string scope() const {
    std::string joined;
    for (const std::string& one : scopes) joined += (joined.empty() ? "" : " ") + one;
    return joined;
  }

  Result<> validate() const {
    const auto wrong = [](std::string why) { return fail(ErrorKind::Invalid, std::move(why)); };
    if (client_id.empty() && client_id_file.empty()) {
      return wrong("no ClientID provided: set client_id or client_id_file");
    }
    if (jwt()) {
      if (client_certificate_key.empty() && client_certificate_key_file.empty()) {
        return wrong(
            "no ClientCertificateKey provided: set client_certificate_key or "
            "client_certificate_key_file");
      }
    } else if (client_secret.empty() && client_secret_file.empty()) {
      return wrong("no ClientSecret provided: set client_secret or client_secret_file");
    }
    if (token_url.empty()) return wrong("no TokenURL provided: set token_url");
    if (auto url = net::parse_url(token_url); !url) {
      return std::unexpected(at("token_url", std::move(url.error())));
    }
    if (!grant_type.empty() && grant_type != kClientCredentials && !jwt()) {
      return wrong("unknown grant type \"" + grant_type + "\"");
    }
    if (!scopes.empty() && endpoint_params.contains("scope")) {
      return wrong("endpoint_params: cannot overwrite parameter \"scope\"; `scopes` says it");
    }
    if (auto checked = net::check_tls(tls); !checked) {
      return std::unexpected(at("tls", std::move(checked.error())));
    }
    return {};
  }
};

inline constexpr auto kFields = config::fields<Config>(
    config::field("client_id", &Config::client_id, "Who we are to the token endpoint."),
    config::field("client_id_file", &Config::client_id_file,
                  "A file that says so, instead; read for each token."),
    config::field("client_secret", &Config::client_secret, "Our secret.", {.secret = true}),
    config::field("client_secret_file", &Config::client_secret_file,
                  "A file that has it, instead; read for each token."),
    config::field("client_certificate_key", &Config::client_certificate_key,
                  "Of the grant jwt-bearer: our private key, RSA as PEM.", {.secret = true}),
    config::field("client_certificate_key_file", &Config::client_certificate_key_file,
                  "A file that has it, instead; read for each token."),
    config::field("client_certificate_key_id", &Config::client_certificate_key_id,
                  "Its name, for the assertion's head."),
    config::field("grant_type", &Config::grant_type,
                  "client_credentials, or urn:ietf:params:oauth:grant-type:jwt-bearer (RFC 7523)."),
    config::field("signature_algorithm", &Config::signature_algorithm,
                  "How assertions are signed: RS256, RS384 or RS512.",
                  {.choices = "|RS256|RS384|RS512"}),
    config::field("iss", &Config::iss, "Who issues assertions; the client_id when empty."),
    config::field("audience", &Config::audience,
                  "For whom assertions are; the token_url when empty."),
    config::field("claims", &Config::claims, "More claims of assertions."),
    config::field("endpoint_params", &Config::endpoint_params,
                  "More parameters of requests for a token.", {.secret = true}),
    config::field("token_url", &Config::token_url, "Where tokens are had.", {.url = true}),
    config::field("scopes", &Config::scopes, "What tokens are to be good for."),
    config::field("tls", &Config::tls, pipeline::kTlsClientFields,
                  "Encryption of requests for a token."),
    config::field("timeout", &Config::timeout,
                  "How long a request for a token may take; 0 or less: half a minute."),
    config::field("expiry_buffer", &Config::expiry_buffer,
                  "How long before its end a token is replaced; at most half of its lifetime."));

}  // namespace sonde::oauth2
