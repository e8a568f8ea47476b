// SPDX-License-Identifier: Apache-2.0
// HTTP's Basic credentials (RFC 7617): asked of those who send to a receiver, or given to the peer
// of an exporter, as the Collector's basicauth does it.
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/base64.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/snapshot.h"
#include "base/worker_thread.h"
#include "components/extension/basicauth/htpasswd.h"
#include "pipeline/auth/authenticator.h"
#include "pipeline/auth/secret_file.h"
#include "pipeline/component.h"

namespace sonde::basicauth {
namespace {

struct HtpasswdSettings {
  std::string file;
  std::string inline_text;
};

struct ClientSettings {
  std::string username;
  std::string username_file;
  std::string password;
  std::string password_file;
};

struct Config {
  std::optional<HtpasswdSettings> htpasswd;
  std::optional<ClientSettings> client_auth;
  Result<> validate() const {
    if (htpasswd && client_auth) {
      return fail(ErrorKind::Invalid,
                  "only one of `htpasswd` or `client_auth` can be specified; make two extensions "
                  "of it, as basicauth/server and basicauth/client");
    }
    const bool nobody = htpasswd && htpasswd->file.empty() && htpasswd->inline_text.empty();
    if (nobody || (!htpasswd && !client_auth)) {
      return fail(ErrorKind::Invalid,
                  "no credential source provided: set htpasswd::file or htpasswd::inline for a "
                  "receiver, or client_auth for an exporter");
    }
    return {};
  }
};

constexpr auto kHtpasswdFields = config::fields<HtpasswdSettings>(
    config::field("file", &HtpasswdSettings::file, "A file as htpasswd writes it, read at start."),
    config::field("inline", &HtpasswdSettings::inline_text,
                  "More of its lines; they count where a user is in both.", {.secret = true}));
constexpr auto kClientFields = config::fields<ClientSettings>(
    config::field("username", &ClientSettings::username, "Who we are."),
    config::field("username_file", &ClientSettings::username_file,
                  "A file that says so, instead; read again when it changes."),
    config::field("password", &ClientSettings::password, "Our password.", {.secret = true}),
    config::field("password_file", &ClientSettings::password_file,
                  "A file that has it, instead; read again when it changes."));
constexpr auto kFields = config::fields<Config>(
    config::field("htpasswd", &Config::htpasswd, kHtpasswdFields,
                  "Who may send, for the receivers that name this.", {.pointer = true}),
    config::field("client_auth", &Config::client_auth, kClientFields,
                  "Who we are, for the exporters that name this.", {.pointer = true}));

// Wrong passwords that are being found out to be wrong, of all receivers.
constexpr size_t kMaxChecks = 64;

std::unexpected<Error> refused(const char* why) { return fail(ErrorKind::Denied, why); }

struct Credentials {
  std::string username, password, raw;
  pipeline::AuthData data() const { return {{"username", username}, {"raw", raw}}; }
};

Result<Credentials> parse(const net::Headers& headers) {
  const std::string_view header = net::find_header(headers, "authorization");
  if (header.empty()) return refused("no basic auth provided");
  constexpr std::string_view kScheme = "Basic ";
  if (!equals_ignoring_case(header.substr(0, kScheme.size()), kScheme)) {
    return refused("invalid authorization scheme prefix");
  }
  const std::string_view raw = header.substr(kScheme.size());
  const auto decoded = decode_base64(raw);
  const size_t colon = decoded ? decoded->find(':') : std::string::npos;
  if (colon == std::string::npos) return refused("invalid authorization format");
  return Credentials{decoded->substr(0, colon), decoded->substr(colon + 1), std::string(raw)};
}

class BasicAuth final : public pipeline::Component,
                        public pipeline::ServerAuthenticator,
                        public pipeline::ClientAuthenticator {
 public:
  BasicAuth(Config config, std::string_view, pipeline::Outputs) : config_(std::move(config)) {}

  Result<> start(pipeline::Host& host) override {
    return config_.htpasswd ? start_server(host) : start_client(host);
  }
  void stop() override {
    username_file_.stop();
    password_file_.stop();
  }

  Result<> serves() const override {
    if (config_.htpasswd) return {};
    return fail(ErrorKind::Invalid, "has no `htpasswd`, so it cannot tell who sends");
  }

  std::optional<Result<pipeline::AuthData>> check(const net::Headers& headers) override {
    const auto given = parse(headers);
    if (!given) return std::unexpected(given.error());
    const auto user = users_.find(given->username);
    if (user == users_.end()) return refused("invalid credentials");
    if (user->second.slow()) {
      // Nothing: only a password that was right before is known at once.
      return was_right(*given) ? std::optional<Result<pipeline::AuthData>>(given->data())
                               : std::nullopt;
    }
    if (!user->second.matches(given->password)) return refused("invalid credentials");
    return given->data();
  }

  void verify(const net::Headers& headers, Scheduler& scheduler, pipeline::AuthDone done) override {
    auto given = parse(headers);
    const auto user = given ? users_.find(given->username) : users_.end();
    auto shared = std::make_shared<pipeline::AuthDone>(std::move(done));
    const auto answer = [shared, &scheduler](Result<pipeline::AuthData> found) {
      scheduler.post([shared, found = std::move(found)]() mutable { (*shared)(std::move(found)); });
    };
    if (user == users_.end()) return answer(refused("invalid credentials"));
    const bool posted =
        worker_->post([this, answer, given = *given, password = &user->second]() mutable {
          if (!password->matches(given.password)) return answer(refused("invalid credentials"));
          remember(given);
          answer(given.data());
        });
    if (!posted) answer(fail(ErrorKind::Exhausted, "too many passwords are being checked"));
  }

  Result<> usable() const override {
    if (!config_.client_auth) {
      return fail(ErrorKind::Invalid, "has no `client_auth`, so it cannot say who we are");
    }
    if (username_.find(':') == std::string::npos) return {};
    return fail(ErrorKind::Invalid, "invalid authorization format: the username has a colon");
  }

  void authorize(net::Carrier, net::Headers headers, const RequestContext*, Scheduler&,
                 Done done) override {
    pipeline::set_header(headers, "Authorization", *header_.get());
    done(std::move(headers));
  }

 private:
  Result<> start_server(pipeline::Host& host) {
    std::string text;
    if (!config_.htpasswd->file.empty()) {
      auto read = pipeline::read_secret_file(config_.htpasswd->file);
      if (!read) return std::unexpected(at("htpasswd::file", std::move(read.error())));
      TRY(add_users(host, *read, config_.htpasswd->file));
    }
    TRY(add_users(host, config_.htpasswd->inline_text, "htpasswd::inline"));
    worker_.emplace(kMaxChecks);
    return {};
  }

  Result<> add_users(pipeline::Host& host, std::string_view text, std::string_view where) {
    auto read = parse_htpasswd(text);
    if (!read) return std::unexpected(at(where, std::move(read.error())));
    for (const std::string& problem : read->problems) {
      log_warn("{}: {}: {}; nobody can sign in by it", host.id(), where, problem);
    }
    for (auto& [user, password] : read->users) users_.insert_or_assign(user, std::move(password));
    return {};
  }

  Result<> start_client(pipeline::Host& host) {
    username_ = config_.client_auth->username;
    password_ = config_.client_auth->password;
    TRY(follow(host, username_file_, config_.client_auth->username_file, username_));
    TRY(follow(host, password_file_, config_.client_auth->password_file, password_));
    make_header();
    return {};
  }

  Result<> follow(pipeline::Host& host, pipeline::SecretFile& file, const std::string& path,
                  std::string& value) {
    if (path.empty()) return {};
    return file.start(host.scheduler(), path, [this, &value](std::string read) {
      value = std::move(read);
      make_header();
    });
  }

  void make_header() { header_.set("Basic " + encode_base64(username_ + ":" + password_)); }

  std::string mark_of(const Credentials& given) const {
    return hex_hmac(Digest::Sha256, key_, given.username + ":" + given.password);
  }
  bool was_right(const Credentials& given) const {
    const std::lock_guard lock(mutex_);
    const auto found = right_.find(given.username);
    return found != right_.end() && same_secret(found->second, mark_of(given));
  }
  void remember(const Credentials& given) {
    const std::lock_guard lock(mutex_);
    right_[given.username] = mark_of(given);
  }

  const Config config_;
  std::map<std::string, Password, std::less<>> users_;  // Not changed once started.
  // The last right password of each user whose hash is slow, hashed with a key of this process.
  const std::string key_ = random_secret(32);
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::string> right_;

  std::string username_, password_;
  Snapshot<std::string> header_;
  pipeline::SecretFile username_file_, password_file_;
  std::optional<WorkerThread> worker_;  // Last: it ends before what its work uses.
};

}  // namespace
}  // namespace sonde::basicauth

SONDE_COMPONENT(extension, basicauth) {
  using namespace sonde::basicauth;
  return sonde::pipeline::make_type<BasicAuth, Config>(
      {.kind = sonde::pipeline::Kind::Extension,
       .name = "basicauth",
       .summary = "Asks senders for a user and a password, or gives ours to a peer.",
       .in = sonde::pipeline::kNoSignals,
       .out = sonde::pipeline::kNoSignals,
       .create = {}},
      kFields.table());
}
