// SPDX-License-Identifier: Apache-2.0
#include "pipeline/auth/auth_gate.h"

#include "pipeline/component.h"

namespace sonde::pipeline {

Result<std::unique_ptr<AuthGate>> AuthGate::make(Host& host,
                                                 const std::optional<AuthSettings>& settings) {
  if (!settings) return nullptr;
  ServerAuthenticator* found = TRY(find_server_authenticator(host, settings->authenticator));
  if (auto serves = found->serves(); !serves) {
    return std::unexpected(at("auth: " + settings->authenticator, std::move(serves.error())));
  }
  return std::make_unique<AuthGate>(*found, host.scheduler());
}

AuthGate::AuthGate(ServerAuthenticator& authenticator, Scheduler& scheduler)
    : authenticator_(authenticator), scheduler_(scheduler), waiting_(std::make_shared<size_t>(0)) {}

AuthGate::~AuthGate() = default;

std::optional<Result<AuthData>> AuthGate::check(const net::Headers& headers) {
  auto found = authenticator_.check(headers);
  if (!found && *waiting_ >= kMaxWaiting) {
    return fail(ErrorKind::Exhausted, "too many senders are being checked; try again");
  }
  return found;
}

void AuthGate::verify(const net::Headers& headers, AuthDone done) {
  ++*waiting_;
  authenticator_.verify(
      headers, scheduler_,
      [weak = std::weak_ptr(waiting_), done = std::move(done)](Result<AuthData> found) mutable {
        if (const auto alive = weak.lock()) {
          --*alive;
        } else {
          found = fail(ErrorKind::Unavailable, "the receiver ended before it knew who you are");
        }
        done(std::move(found));
      });
}

}  // namespace sonde::pipeline
