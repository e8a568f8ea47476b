// SPDX-License-Identifier: Apache-2.0
// What an extension offers to the servers and clients whose settings name it (`auth::
// authenticator`): telling who sent a request, and giving requests what their peer asks for. Both
// may be called from any shard. An exporter asks by an Authorizer, a receiver by an AuthGate.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/scheduler.h"
#include "config/field.h"
#include "data/batch.h"
#include "net/compression/compression.h"
#include "net/http/http_types.h"

namespace sonde::pipeline {

class Host;

// What an authenticator found out about a sender, for RequestContext::auth.
using AuthData = net::Sender;
using AuthDone = std::move_only_function<void(Result<AuthData>)>;

class ServerAuthenticator {
 public:
  virtual ~ServerAuthenticator() = default;
  // An error where it cannot tell; asked once, at a receiver's start.
  virtual Result<> serves() const { return {}; }
  // Who sent a request with these headers. An error refuses it, and its message is told to the
  // sender: as Unauthenticated, or as Unavailable where its kind is. Nothing where the answer takes
  // more work than a loop may do: ask verify().
  virtual std::optional<Result<AuthData>> check(const net::Headers& headers) = 0;
  // Does that work elsewhere and calls `done` once on `scheduler`, not within this call. Of
  // `headers` a copy is kept where they are needed.
  virtual void verify(const net::Headers& headers, Scheduler& scheduler, AuthDone done);
};

class ClientAuthenticator {
 public:
  using Done = std::move_only_function<void(Result<net::Headers>)>;

  virtual ~ClientAuthenticator() = default;
  // Whether a gRPC client must not send what it adds in the clear.
  virtual bool needs_encryption() const { return true; }
  // An error where it can never work for such a client; asked once, at its start.
  virtual Result<> usable() const { return {}; }
  // Gives `done` the headers with those that the request needs, once: within this call, or later on
  // `scheduler`. Unavailable is worth another try. `context` is that of the batch, or nullptr; it
  // is valid during the call. Later, whoever asked may be gone, and `done` does nothing then; so
  // one that wraps `done` for another authenticator lets it hold nothing of itself.
  virtual void authorize(net::Carrier carrier, net::Headers headers, const RequestContext* context,
                         Scheduler& scheduler, Done done) = 0;
};

struct AuthSettings {
  std::string authenticator;
};
inline constexpr auto kAuthFields = config::fields<AuthSettings>(
    config::field("authenticator", &AuthSettings::authenticator,
                  "The extension that does it, such as basicauth.", {.extension = true}));

// Errors (NotFound, Invalid) name the extension and what is wrong with it.
Result<ServerAuthenticator*> find_server_authenticator(Host& host, std::string_view id);
Result<ClientAuthenticator*> find_client_authenticator(Host& host, std::string_view id);

// Puts a header in the place of all of that name.
void set_header(net::Headers& headers, std::string_view name, std::string value);
void erase_header(net::Headers& headers, std::string_view name);

}  // namespace sonde::pipeline
