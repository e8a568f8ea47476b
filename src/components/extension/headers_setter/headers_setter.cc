// SPDX-License-Identifier: Apache-2.0
// Headers for the peer of an exporter from settings, from a file, from what came with the data and
// from what an authenticator found out about its sender, as the Collector's headers_setter does it.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/snapshot.h"
#include "pipeline/auth/authenticator.h"
#include "pipeline/auth/secret_file.h"
#include "pipeline/component.h"

namespace sonde {
namespace {

struct HeaderSettings {
  std::string action;
  std::string key;
  std::optional<std::string> value;
  std::optional<std::string> value_file;
  std::optional<std::string> from_context;
  std::optional<std::string> from_attribute;
  std::string default_value;

  int sources() const {
    return value.has_value() + value_file.has_value() + from_context.has_value() +
           from_attribute.has_value();
  }
  Result<> check() const {
    if (key.empty()) return fail(ErrorKind::Invalid, "missing header name: set `key`");
    if (action == "delete") return {};
    constexpr std::string_view kSources = "from_context, from_attribute, value and value_file";
    if (sources() == 0) {
      return fail(ErrorKind::Invalid,
                  fmt::format("missing header source: set one of {}", kSources));
    }
    if (sources() == 1) return {};
    return fail(ErrorKind::Invalid,
                fmt::format("invalid header source, must be only one of {}", kSources));
  }
};

struct Config {
  std::vector<HeaderSettings> headers;
  std::string additional_auth;
  Result<> validate() const {
    if (headers.empty()) {
      return fail(ErrorKind::Invalid, "missing headers configuration: list them in `headers`");
    }
    for (size_t i = 0; i < headers.size(); ++i) {
      if (auto checked = headers[i].check(); !checked) {
        return std::unexpected(at(fmt::format("headers::{}", i), std::move(checked.error())));
      }
    }
    return {};
  }
};

constexpr auto kHeaderFields = config::fields<HeaderSettings>(
    config::field("action", &HeaderSettings::action,
                  "insert (where there is none), update (where there is one), upsert or delete."),
    config::field("key", &HeaderSettings::key, "The header's name."),
    config::field("value", &HeaderSettings::value, "Its value.", {.secret = true}),
    config::field("value_file", &HeaderSettings::value_file,
                  "A file that has its value, read again when it changes."),
    config::field("from_context", &HeaderSettings::from_context,
                  "The metadata of the incoming request that has its value; the receiver needs "
                  "include_metadata."),
    config::field("from_attribute", &HeaderSettings::from_attribute,
                  "What the receiver's authenticator found out that has its value, such as "
                  "username of basicauth."),
    config::field("default_value", &HeaderSettings::default_value,
                  "Its value where from_context or from_attribute finds none.", {.secret = true}));
constexpr auto kFields = config::fields<Config>(
    config::field("headers", &Config::headers, kHeaderFields, "What to set, in order."),
    config::field("additional_auth", &Config::additional_auth,
                  "Another authenticator that adds headers too.", {.extension = true}));

enum class Action { Insert, Update, Upsert, Delete };

Action action_of(std::string_view name) {
  if (name == "insert") return Action::Insert;
  if (name == "update") return Action::Update;
  return name == "delete" ? Action::Delete : Action::Upsert;
}

// What sets the headers. Shared with the calls that wait for the other authenticator, which may get
// its answer when the extension is gone.
class Setter {
 public:
  explicit Setter(std::vector<HeaderSettings> headers)
      : headers_(std::move(headers)), file_values_(headers_.size()) {}

  const std::vector<HeaderSettings>& headers() const { return headers_; }
  // From any thread.
  void set_file_value(size_t index, std::string value) {
    file_values_[index].set(std::move(value));
  }

  Result<net::Headers> set(net::Headers headers, const RequestContext* context) const {
    for (size_t i = 0; i < headers_.size(); ++i) {
      const HeaderSettings& header = headers_[i];
      const Action action = action_of(header.action);
      if (action == Action::Delete) {
        pipeline::erase_header(headers, header.key);
        continue;
      }
      const bool there = !net::find_header(headers, header.key).empty();
      if (there ? action == Action::Insert : action == Action::Update) continue;
      pipeline::set_header(headers, header.key, TRY(value_of(i, context)));
    }
    return headers;
  }

 private:
  Result<std::string> value_of(size_t index, const RequestContext* context) const {
    const HeaderSettings& header = headers_[index];
    if (header.value) return *header.value;
    if (header.value_file) return *file_values_[index].get();
    const std::string& wanted = header.from_context ? *header.from_context : *header.from_attribute;
    const std::string* found = nullptr;
    size_t count = 0;
    if (context) {
      for (const auto& [name, value] : header.from_context ? context->metadata : context->auth) {
        if (header.from_context ? !equals_ignoring_case(name, wanted) : name != wanted) continue;
        found = &value;
        ++count;
      }
    }
    if (count > 1) {
      return fail(
          ErrorKind::Invalid,
          fmt::format("header \"{}\": the request had {} values of \"{}\", of which none can "
                      "be preferred",
                      header.key, count, wanted));
    }
    return found ? *found : header.default_value;
  }

  const std::vector<HeaderSettings> headers_;
  std::deque<Snapshot<std::string>> file_values_;  // Of each header with a file.
};

class HeadersSetter final : public pipeline::Component, public pipeline::ClientAuthenticator {
 public:
  HeadersSetter(Config config, std::string_view, pipeline::Outputs)
      : additional_auth_(std::move(config.additional_auth)),
        setter_(std::make_shared<Setter>(std::move(config.headers))) {}

  Result<> start(pipeline::Host& host) override {
    TRY(find_additional(host));
    for (size_t i = 0; i < setter_->headers().size(); ++i) {
      const HeaderSettings& header = setter_->headers()[i];
      if (header.action != "delete" && header.action != "insert" && header.action != "update" &&
          header.action != "upsert") {
        log_warn("{}: headers::{}: {}, so it is taken for upsert", host.id(), i,
                 header.action.empty() ? "no action is given"
                                       : "there is no action \"" + header.action + "\"");
      }
      pipeline::SecretFile& file = files_.emplace_back();
      if (!header.value_file) continue;
      auto started = file.start(host.scheduler(), *header.value_file, [this, i](std::string value) {
        setter_->set_file_value(i, std::move(value));
      });
      if (!started) {
        const std::string where = fmt::format("headers::{}::value_file", i);
        return std::unexpected(at(where, std::move(started.error())));
      }
    }
    return {};
  }
  void stop() override {
    for (pipeline::SecretFile& file : files_) file.stop();
  }

  // What it sets itself need not be secret; what it adds to may be.
  bool needs_encryption() const override {
    return additional_ != nullptr && additional_->needs_encryption();
  }
  Result<> usable() const override { return additional_ ? additional_->usable() : Result<>(); }

  void authorize(net::Carrier carrier, net::Headers headers, const RequestContext* context,
                 Scheduler& scheduler, Done done) override {
    if (!additional_) return done(setter_->set(std::move(headers), context));
    if (carrier == net::Carrier::Http) {
      // As for the Collector, the other one has the last word over HTTP and the first over gRPC.
      auto ours = setter_->set(std::move(headers), context);
      if (!ours) return done(std::move(ours));
      return additional_->authorize(carrier, std::move(*ours), context, scheduler, std::move(done));
    }
    additional_->authorize(
        carrier, std::move(headers), context, scheduler,
        [setter = std::shared_ptr<const Setter>(setter_),
         kept = context ? std::make_shared<RequestContext>(*context) : nullptr,
         done = std::move(done)](Result<net::Headers> theirs) mutable {
          done(theirs ? setter->set(std::move(*theirs), kept.get()) : std::move(theirs));
        });
  }

 private:
  // It is there, though it may start after this one.
  Result<> find_additional(pipeline::Host& host) {
    if (additional_auth_.empty()) return {};
    pipeline::Component* found = host.extension(additional_auth_);
    if (!found) {
      return fail(
          ErrorKind::NotFound,
          fmt::format("additional_auth: auth extension \"{}\" not found", additional_auth_));
    }
    // Whoever of a circle starts last sees it.
    for (const auto* next = dynamic_cast<HeadersSetter*>(found); next != nullptr;
         next = dynamic_cast<const HeadersSetter*>(next->additional_)) {
      if (next != this) continue;
      return fail(ErrorKind::Invalid, "additional_auth: leads back to this one");
    }
    additional_ = dynamic_cast<ClientAuthenticator*>(found);
    if (!additional_) {
      log_warn("{}: additional_auth: \"{}\" is no authenticator of clients and adds nothing",
               host.id(), additional_auth_);
    }
    return {};
  }

  const std::string additional_auth_;
  const std::shared_ptr<Setter> setter_;
  ClientAuthenticator* additional_ = nullptr;
  std::deque<pipeline::SecretFile> files_;
};

}  // namespace
}  // namespace sonde

SONDE_COMPONENT(extension, headers_setter) {
  return sonde::pipeline::make_type<sonde::HeadersSetter, sonde::Config>(
      {.kind = sonde::pipeline::Kind::Extension,
       .name = "headers_setter",
       .summary = "Sets headers of exporters' requests, from what came with the data or fixed.",
       .in = sonde::pipeline::kNoSignals,
       .out = sonde::pipeline::kNoSignals,
       .create = {}},
      sonde::kFields.table());
}
