// SPDX-License-Identifier: Apache-2.0
// How an exporter gets the headers that its peer asks for.
#pragma once

#include <memory>
#include <optional>

#include "pipeline/auth/authenticator.h"

namespace sonde::pipeline {

// Asks the authenticator of an exporter, and is no longer called once it is gone: what waits then
// ends as Unavailable. On the exporter's loop only.
class Authorizer {
 public:
  // Without settings there is nobody to ask, and authorize() gives the headers back as they are.
  // `encrypted` says whether the exporter's connections are.
  static Result<std::unique_ptr<Authorizer>> make(Host& host,
                                                  const std::optional<AuthSettings>& settings,
                                                  net::Carrier carrier, bool encrypted);
  ~Authorizer();
  Authorizer(const Authorizer&) = delete;
  Authorizer& operator=(const Authorizer&) = delete;

  void authorize(net::Headers headers, const RequestContext* context,
                 ClientAuthenticator::Done done);
  size_t waiting() const;

 private:
  struct Waiting;
  Authorizer(Scheduler& scheduler, ClientAuthenticator* authenticator, net::Carrier carrier);

  Scheduler& scheduler_;
  ClientAuthenticator* const authenticator_;
  const net::Carrier carrier_;
  std::shared_ptr<Waiting> waiting_;
};

}  // namespace sonde::pipeline
