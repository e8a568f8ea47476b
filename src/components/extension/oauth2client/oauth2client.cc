// SPDX-License-Identifier: Apache-2.0
// Tokens of OAuth 2 for the peers of exporters, by the grants client_credentials and jwt-bearer, as
// the Collector's oauth2client has them. One request for a token is in flight at a time. A token
// that will end soon is replaced while it is still used, so that neither a slow nor a dead endpoint
// stops anything before it has ended; where there is none, what is to be sent waits for it and goes
// back to its queue if none can be had.
#include <fmt/format.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/base64.h"
#include "base/log.h"
#include "base/snapshot.h"
#include "components/extension/oauth2client/assertion.h"
#include "components/extension/oauth2client/settings.h"
#include "net/http/http_client.h"
#include "pipeline/auth/authenticator.h"
#include "pipeline/auth/secret_file.h"
#include "pipeline/component.h"
#include "pipeline/settings/http_client_settings.h"

namespace sonde::oauth2 {
namespace {

using std::chrono::seconds;

// Requests that wait for a token; more are sent back to their queues at once.
constexpr size_t kMaxWaiting = 4096;
// A token is not used in the last seconds of its life: it may be on its way for so long.
constexpr Duration kOnItsWay = seconds(10);
// How long an endpoint that failed is left alone.
constexpr Duration kPause = seconds(1);
constexpr size_t kMaxAnswer = size_t{1} << 20;

// A token and for how long, in nanoseconds of the monotonic clock.
struct Held {
  std::string header;  // empty: there is none
  int64_t used_until_ns = INT64_MAX;
  int64_t replaced_from_ns = INT64_MAX;
};

struct Waiter {
  net::Headers headers;
  Scheduler* scheduler = nullptr;
  pipeline::ClientAuthenticator::Done done;

  void end(Result<std::string> header) && {
    scheduler->post([headers = std::move(headers), done = std::move(done),
                     header = std::move(header)]() mutable {
      if (!header) return done(std::unexpected(std::move(header.error())));
      pipeline::set_header(headers, "Authorization", std::move(*header));
      done(std::move(headers));
    });
  }
};

class OAuth2Client final : public pipeline::Component, public pipeline::ClientAuthenticator {
 public:
  OAuth2Client(Config config, std::string_view id, pipeline::Outputs)
      : config_(std::move(config)), id_(id) {}
  ~OAuth2Client() override { alive_.reset(); }

  Result<> start(pipeline::Host& host) override {
    const size_t host_at = config_.token_url.find("://");
    const size_t path_at =
        config_.token_url.find_first_of("/?", host_at == std::string::npos ? 0 : host_at + 3);
    net::HttpClientOptions options;
    options.base_url = config_.token_url.substr(0, path_at);
    path_ = path_at == std::string::npos ? "/" : config_.token_url.substr(path_at);
    if (path_.starts_with('?')) path_.insert(0, "/");
    options.timeout = config_.timeout > Duration{} ? config_.timeout : seconds(30);
    options.max_response = kMaxAnswer;
    if (config_.token_url.starts_with("https://")) {
      options.tls = TRY(net::make_tls_client(config_.tls, net::HttpVersion::Http1));
    }
    options.proxy = TRY(pipeline::choose_proxy({}, options.base_url));
    client_ = std::make_unique<net::HttpClient>(host.loop(), std::move(options));
    home_ = &host.scheduler();
    return {};
  }

  void authorize(net::Carrier, net::Headers headers, const RequestContext*, Scheduler& scheduler,
                 Done done) override {
    const auto held = held_.get();
    const int64_t now = home_->clock().monotonic_ns();
    if (held->header.empty() || now >= held->used_until_ns) {
      return at_home([this, waiter = Waiter{std::move(headers), &scheduler, std::move(done)}](
                         int64_t at) mutable { wait(std::move(waiter), at); });
    }
    if (now >= held->replaced_from_ns && !asked_.exchange(true)) {
      at_home([this](int64_t) { fetch(); });
    }
    pipeline::set_header(headers, "Authorization", held->header);
    done(std::move(headers));
  }

 private:
  // On the extension's own loop, unless it is gone by then.
  template <class Work>
  void at_home(Work work) {
    home_->post([this, weak = std::weak_ptr(alive_), work = std::move(work)]() mutable {
      if (weak.lock()) work(home_->clock().monotonic_ns());
    });
  }

  void wait(Waiter waiter, int64_t now) {
    const auto held = held_.get();
    if (!held->header.empty() && now < held->used_until_ns) {
      return std::move(waiter).end(held->header);
    }
    if (now < paused_until_ns_) return std::move(waiter).end(std::unexpected(last_error_));
    if (waiting_.size() >= kMaxWaiting) {
      return std::move(waiter).end(
          fail(ErrorKind::Unavailable, "too many requests wait for a token"));
    }
    waiting_.push_back(std::move(waiter));
    fetch();
  }

  void fetch() {
    if (std::exchange(fetching_, true)) return;
    asked_ = true;
    ask(secret_in_header_, true);
  }

  // The secret goes into the header or among the parameters; which of them the server wants is
  // found out (`probe`), since the specification allows both and servers do not.
  void ask(bool in_header, bool probe) {
    auto request = config_.jwt() ? jwt_request() : secret_request(in_header);
    if (!request) return ended(std::unexpected(std::move(request.error())));
    auto& [headers, form] = *request;
    client_->request("POST", path_, std::move(headers), Bytes::take(encode_form(form)),
                     [this, in_header, probe](Result<net::HttpResponse> answer) {
                       if (!answer) return ended(std::unexpected(std::move(answer.error())));
                       auto token = read_token_answer(*answer);
                       if (!token && probe && !config_.jwt()) return ask(!in_header, false);
                       if (token) secret_in_header_ = in_header;
                       ended(std::move(token));
                     });
  }

  using TokenRequest = std::pair<net::Headers, Form>;

  static Result<std::string> value_of(const std::string& value, const std::string& file) {
    return file.empty() ? value : pipeline::read_secret_file(file);
  }

  TokenRequest request_of(std::string_view grant_type) const {
    TokenRequest request;
    request.first = {{"Content-Type", "application/x-www-form-urlencoded"}};
    request.second = {{"grant_type", {std::string(grant_type)}}};
    if (!config_.scopes.empty()) request.second["scope"] = {config_.scope()};
    for (const auto& [name, values] : config_.endpoint_params) request.second[name] = values;
    return request;
  }

  Result<TokenRequest> secret_request(bool in_header) const {
    const std::string id = TRY(value_of(config_.client_id, config_.client_id_file));
    const std::string secret = TRY(value_of(config_.client_secret, config_.client_secret_file));
    TokenRequest request = request_of(kClientCredentials);
    if (in_header) {
      request.first.push_back(
          {"Authorization",
           "Basic " + encode_base64(encode_form_value(id) + ":" + encode_form_value(secret))});
    } else {
      request.second["client_id"] = {id};
      request.second["client_secret"] = {secret};
    }
    return request;
  }

  Result<TokenRequest> jwt_request() const {
    const std::string id = TRY(value_of(config_.client_id, config_.client_id_file));
    Assertion assertion;
    assertion.algorithm = config_.signature_algorithm;
    assertion.key_pem =
        TRY(value_of(config_.client_certificate_key, config_.client_certificate_key_file));
    assertion.key_id = config_.client_certificate_key_id;
    assertion.iss = config_.iss.empty() ? id : config_.iss;
    assertion.sub = id;
    assertion.aud = config_.audience.empty() ? config_.token_url : config_.audience;
    assertion.scope = config_.scope();
    assertion.now_seconds = home_->clock().unix_ns() / 1'000'000'000;
    assertion.claims = config_.claims;
    TokenRequest request = request_of(kJwtBearer);
    request.second["assertion"] = {TRY(sign(assertion))};
    return request;
  }

  void ended(Result<Token> token) {
    fetching_ = false;
    const int64_t now = home_->clock().monotonic_ns();
    if (token) {
      Held held{token->header()};
      if (token->lifetime) {
        const Duration life = *token->lifetime;
        held.used_until_ns = now + (life - std::min(kOnItsWay, life / 4)).count();
        held.replaced_from_ns =
            now + (life - std::clamp(config_.expiry_buffer, Duration{}, life / 2)).count();
      }
      log_debug("{}: has a token of {}", id_, net::shown_url(config_.token_url));
      held_.set(std::move(held));
    } else {
      last_error_ = {ErrorKind::Unavailable,
                     fmt::format("failed to get security token from token endpoint \"{}\": {}",
                                 net::shown_url(config_.token_url), token.error().message),
                     {}};
      log_warn("{}: {}", id_, last_error_.message);
      paused_until_ns_ = now + kPause.count();
      Held held = *held_.get();
      held.replaced_from_ns = std::max(held.replaced_from_ns, paused_until_ns_);
      held_.set(std::move(held));
    }
    asked_ = false;
    for (Waiter& waiter : std::exchange(waiting_, {})) {
      std::move(waiter).end(token ? Result<std::string>(held_.get()->header)
                                  : std::unexpected(last_error_));
    }
  }

  const Config config_;
  const std::string id_;
  std::string path_;
  Scheduler* home_ = nullptr;
  // From any shard.
  Snapshot<Held> held_;
  std::atomic<bool> asked_ = false;  // that the token be replaced
  // On its own loop only.
  bool fetching_ = false;
  bool secret_in_header_ = true;
  int64_t paused_until_ns_ = 0;
  Error last_error_;
  std::vector<Waiter> waiting_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
  std::unique_ptr<net::HttpClient> client_;  // Last: its callbacks use what is above.
};

}  // namespace
}  // namespace sonde::oauth2

SONDE_COMPONENT(extension, oauth2client) {
  using namespace sonde::oauth2;
  return sonde::pipeline::make_type<OAuth2Client, Config>(
      {.kind = sonde::pipeline::Kind::Extension,
       .name = "oauth2client",
       .summary = "Gives the peers of exporters a token of OAuth 2.",
       .in = sonde::pipeline::kNoSignals,
       .out = sonde::pipeline::kNoSignals,
       .create = {}},
      kFields.table());
}
