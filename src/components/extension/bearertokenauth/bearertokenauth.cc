// SPDX-License-Identifier: Apache-2.0
// Bearer tokens (RFC 6750): one of ours is asked of those who send to a receiver, and given to the
// peer of an exporter, as the Collector's bearertokenauth does it.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/log.h"
#include "base/snapshot.h"
#include "pipeline/auth/authenticator.h"
#include "pipeline/auth/secret_file.h"
#include "pipeline/component.h"

namespace sonde {
namespace {

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n\v\f") == std::string_view::npos;
}

struct Config {
  std::string header = "Authorization";
  std::string scheme = "Bearer";
  std::string token;
  std::vector<std::string> tokens;
  std::string filename;
  Result<> validate() const {
    if (token.empty() && tokens.empty() && filename.empty()) {
      return fail(ErrorKind::Invalid, "no bearer token provided: set token, tokens or filename");
    }
    if (!token.empty() && !tokens.empty()) {
      return fail(ErrorKind::Invalid, "either tokens or token should be provided, not both");
    }
    // Else a header with nothing in it would do.
    const auto empty = [](std::string_view where) {
      return fail(ErrorKind::Invalid,
                  fmt::format("{}: is empty; is its environment variable set?", where));
    };
    if (!token.empty() && is_blank(token)) return empty("token");
    for (size_t i = 0; i < tokens.size(); ++i) {
      if (is_blank(tokens[i])) return empty(fmt::format("tokens::{}", i));
    }
    return {};
  }
};

constexpr auto kFields = config::fields<Config>(
    config::field("header", &Config::header, "The header that has the token."),
    config::field("scheme", &Config::scheme, "What stands before the token; empty: nothing."),
    config::field("token", &Config::token, "The token.", {.secret = true}),
    config::field("tokens", &Config::tokens,
                  "Several: a sender may have any of them, a peer is given the first.",
                  {.unsplit = true, .secret = true}),
    config::field("filename", &Config::filename,
                  "A file with a token at the head of each line, read again when it changes; "
                  "instead of `token`."));

// The first word of each line that has one: what follows it is for people.
std::vector<std::string> first_words(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\v\f";
  std::vector<std::string> words;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    line.remove_prefix(std::min(line.find_first_not_of(kSpace), line.size()));
    line = line.substr(0, line.find_first_of(kSpace));
    if (!line.empty()) words.emplace_back(line);
  }
  return words;
}

class BearerTokenAuth final : public pipeline::Component,
                              public pipeline::ServerAuthenticator,
                              public pipeline::ClientAuthenticator {
 public:
  BearerTokenAuth(Config config, std::string_view, pipeline::Outputs)
      : config_(std::move(config)) {}

  Result<> start(pipeline::Host& host) override {
    if (!config_.tokens.empty()) {
      accept(config_.tokens);
      return {};
    }
    if (config_.filename.empty()) {
      accept(first_words(config_.token));
      return {};
    }
    if (!config_.token.empty()) {
      log_warn("{}: a filename is specified; the configured token is ignored", host.id());
    }
    auto started = file_.start(host.scheduler(), config_.filename,
                               [this](const std::string& text) { accept(first_words(text)); });
    if (!started) return std::unexpected(at("filename", std::move(started.error())));
    return {};
  }
  void stop() override { file_.stop(); }

  std::optional<Result<pipeline::AuthData>> check(const net::Headers& headers) override {
    const auto given = std::ranges::find_if(headers, [&](const net::Header& header) {
      return equals_ignoring_case(header.name, config_.header);
    });
    if (given == headers.end()) {
      return fail(ErrorKind::Denied, "missing or empty authorization header: " + config_.header);
    }
    const auto accepted = accepted_.get();
    // All are looked at, so that the time does not tell which it was.
    bool known = false;
    for (const std::string& value : *accepted) known |= same_secret(value, given->value);
    if (known) return pipeline::AuthData{};
    return fail(ErrorKind::Denied,
                "provided authorization does not match expected scheme or token");
  }

  void authorize(net::Carrier, net::Headers headers, const RequestContext*, Scheduler&,
                 Done done) override {
    const auto accepted = accepted_.get();
    pipeline::set_header(headers, config_.header, accepted->empty() ? "" : accepted->front());
    done(std::move(headers));
  }

 private:
  void accept(std::vector<std::string> tokens) {
    std::erase_if(tokens, is_blank);
    if (!config_.scheme.empty()) {
      for (std::string& token : tokens) token.insert(0, config_.scheme + " ");
    }
    accepted_.set(std::move(tokens));
  }

  const Config config_;
  Snapshot<std::vector<std::string>> accepted_;  // The values that the header may have.
  pipeline::SecretFile file_;
};

}  // namespace
}  // namespace sonde

SONDE_COMPONENT(extension, bearertokenauth) {
  return sonde::pipeline::make_type<sonde::BearerTokenAuth, sonde::Config>(
      {.kind = sonde::pipeline::Kind::Extension,
       .name = "bearertokenauth",
       .summary = "Asks senders for a bearer token, or gives ours to a peer.",
       .in = sonde::pipeline::kNoSignals,
       .out = sonde::pipeline::kNoSignals,
       .create = {}},
      sonde::kFields.table());
}
