// SPDX-License-Identifier: Apache-2.0
// What an extension offers to the servers and clients whose settings name it (`auth::authenticator`).
// A component finds one with Host::extension() and dynamic_cast. Both may be called from any shard.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "data/batch.h"
#include "net/http_types.h"

namespace sonde::pipeline {

class ServerAuthenticator {
 public:
  virtual ~ServerAuthenticator() = default;
  // What is known of the sender, for RequestContext::auth; an error (Denied) refuses the request.
  virtual Result<std::vector<std::pair<std::string, std::string>>> authenticate(
      const net::Headers& headers) = 0;
};

class ClientAuthenticator {
 public:
  virtual ~ClientAuthenticator() = default;
  // The headers that this request needs. An error is Unavailable while a token is being fetched.
  // `context` is that of the batch that is sent, or nullptr.
  virtual Result<net::Headers> headers_for(const RequestContext* context) = 0;
};

}  // namespace sonde::pipeline
