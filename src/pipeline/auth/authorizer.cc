// SPDX-License-Identifier: Apache-2.0
#include "pipeline/auth/authorizer.h"

#include <fmt/format.h>

#include <map>

#include "pipeline/component.h"

namespace sonde::pipeline {

namespace {

// What would end a header line is never sent: it would be taken for another header.
Result<net::Headers> checked(Result<net::Headers> headers) {
  if (!headers) return headers;
  for (const net::Header& header : *headers) {
    if (header.value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos) continue;
    return fail(ErrorKind::Invalid,
                fmt::format("the value for header \"{}\" has a line break", header.name));
  }
  return headers;
}

}  // namespace

struct Authorizer::Waiting {
  uint64_t next = 0;
  std::map<uint64_t, ClientAuthenticator::Done> requests;
};

Authorizer::Authorizer(Scheduler& scheduler, ClientAuthenticator* authenticator,
                       net::Carrier carrier)
    : scheduler_(scheduler),
      authenticator_(authenticator),
      carrier_(carrier),
      waiting_(std::make_shared<Waiting>()) {}

Result<std::unique_ptr<Authorizer>> Authorizer::make(Host& host,
                                                     const std::optional<AuthSettings>& settings,
                                                     net::Carrier carrier, bool encrypted) {
  ClientAuthenticator* found = nullptr;
  if (settings) {
    found = TRY(find_client_authenticator(host, settings->authenticator));
    if (carrier == net::Carrier::Grpc && !encrypted && found->needs_encryption()) {
      return fail(ErrorKind::Invalid,
                  fmt::format("auth: what \"{}\" adds to calls must not be sent in the clear; set "
                              "tls, or send over HTTP",
                              settings->authenticator));
    }
    if (auto usable = found->usable(); !usable) {
      return std::unexpected(at("auth: " + settings->authenticator, std::move(usable.error())));
    }
  }
  return std::unique_ptr<Authorizer>(new Authorizer(host.scheduler(), found, carrier));
}

Authorizer::~Authorizer() {
  auto left = std::move(waiting_->requests);
  waiting_.reset();
  for (auto& [number, done] : left) {
    done(fail(ErrorKind::Unavailable, "the exporter was closed before it had its credentials"));
  }
}

void Authorizer::authorize(net::Headers headers, const RequestContext* context,
                           ClientAuthenticator::Done done) {
  if (!authenticator_) return done(std::move(headers));
  const uint64_t number = waiting_->next++;
  waiting_->requests.emplace(number, std::move(done));
  authenticator_->authorize(carrier_, std::move(headers), context, scheduler_,
                            [weak = std::weak_ptr(waiting_), number](Result<net::Headers> answer) {
                              const auto alive = weak.lock();
                              if (!alive) return;
                              auto request = alive->requests.extract(number);
                              if (request) request.mapped()(checked(std::move(answer)));
                            });
}

size_t Authorizer::waiting() const { return waiting_->requests.size(); }

}  // namespace sonde::pipeline
