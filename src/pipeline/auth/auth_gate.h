// SPDX-License-Identifier: Apache-2.0
// How a receiver learns who sent a request, before it looks at anything but its headers.
#pragma once

#include <memory>
#include <optional>

#include "pipeline/auth/authenticator.h"

namespace sonde::pipeline {

class AuthGate {
 public:
  // Requests whose sender is still being found out, of one gate; more are refused (Exhausted).
  static constexpr size_t kMaxWaiting = 256;

  // Without settings: nullptr, everybody may come in.
  static Result<std::unique_ptr<AuthGate>> make(Host& host,
                                                const std::optional<AuthSettings>& settings);
  AuthGate(ServerAuthenticator& authenticator, Scheduler& scheduler);
  ~AuthGate();
  AuthGate(const AuthGate&) = delete;
  AuthGate& operator=(const AuthGate&) = delete;

  // As ServerAuthenticator::check(): nothing where verify() must be asked.
  std::optional<Result<AuthData>> check(const net::Headers& headers);
  // Calls `done` later, on the gate's loop: with Unavailable where the gate is gone before.
  void verify(const net::Headers& headers, AuthDone done);
  size_t waiting() const { return *waiting_; }

 private:
  ServerAuthenticator& authenticator_;
  Scheduler& scheduler_;
  std::shared_ptr<size_t> waiting_;
};

}  // namespace sonde::pipeline
