// SPDX-License-Identifier: Apache-2.0
#include "pipeline/auth/authenticator.h"

#include <fmt/format.h>

#include <algorithm>

#include "pipeline/component.h"

namespace sonde::pipeline {
namespace {

template <class Offered>
Result<Offered*> find_offered(Host& host, std::string_view id, std::string_view offered) {
  Component* extension = host.extension(id);
  if (!extension) {
    return fail(ErrorKind::NotFound,
                fmt::format("auth::authenticator: there is no extension \"{}\" running; add it to "
                            "service::extensions",
                            id));
  }
  if (auto* found = dynamic_cast<Offered*>(extension)) return found;
  return fail(
      ErrorKind::Invalid,
      fmt::format("auth::authenticator: extension \"{}\" is no authenticator of {}", id, offered));
}

}  // namespace

void ServerAuthenticator::verify(const net::Headers& headers, Scheduler& scheduler, AuthDone done) {
  auto found = check(headers);
  if (!found) found = fail(ErrorKind::Internal, "nobody can tell who this is");
  scheduler.post(
      [done = std::move(done), found = std::move(*found)]() mutable { done(std::move(found)); });
}

Result<ServerAuthenticator*> find_server_authenticator(Host& host, std::string_view id) {
  return find_offered<ServerAuthenticator>(host, id, "servers");
}

Result<ClientAuthenticator*> find_client_authenticator(Host& host, std::string_view id) {
  return find_offered<ClientAuthenticator>(host, id, "clients");
}

void erase_header(net::Headers& headers, std::string_view name) {
  std::erase_if(headers,
                [&](const net::Header& header) { return equals_ignoring_case(header.name, name); });
}

void set_header(net::Headers& headers, std::string_view name, std::string value) {
  erase_header(headers, name);
  headers.push_back({std::string(name), std::move(value)});
}

}  // namespace sonde::pipeline
