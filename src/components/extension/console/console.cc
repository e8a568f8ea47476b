// SPDX-License-Identifier: Apache-2.0
// Serves the page and its JSON to whoever holds the token that is printed at start. The token is
// made anew each time and never touches a disk; one of the configuration is not printed. A browser
// gets a cookie made of it by the first address; scripts send it as a bearer. Requests whose Host
// is not this machine are refused, and with the cookie those of other pages. The page's own files
// are public: they hold no figures.
#include <fmt/format.h>
#include <sys/random.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "base/counters.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/repeating_timer.h"
#include "components/extension/console/answers.h"
#include "components/extension/console/pipelines.h"
#include "components/extension/console/taps.h"
#include "net/http/http_server.h"
#include "pipeline/component.h"
#include "pipeline/reloader.h"
#include "probe/probe.h"
#include "rollup/book.h"
#include "ui/assets.h"

namespace sonde {
namespace {

struct Config {
  std::string endpoint = "127.0.0.1:4400";
  std::string token;
  bool print_address = true;
};

constexpr auto kFields = config::fields<Config>(
    config::field("endpoint", &Config::endpoint, "Address that serves the page."),
    config::field("token", &Config::token,
                  "The token to ask for; when empty a fresh random one, which is printed.",
                  {.secret = true}),
    config::field("print_address", &Config::print_address,
                  "Whether the page's address is printed at start."));

Result<std::string> random_token() {
  unsigned char bytes[16];
  if (getrandom(bytes, sizeof bytes, 0) != static_cast<ssize_t>(sizeof bytes)) {
    return fail(ErrorKind::Internal, "the kernel gave no random bytes for the token");
  }
  return to_hex({reinterpret_cast<const char*>(bytes), sizeof bytes});
}

net::Response json(int status, std::string body) {
  net::Response r;
  r.status = status;
  r.content_type = "application/json";
  r.headers = {{"Cache-Control", "no-store"}, {"X-Content-Type-Options", "nosniff"}};
  r.body = std::move(body);
  return r;
}

net::Response error(int status, std::string_view what, std::string_view why,
                    std::string_view advice) {
  return json(status, console::error_json(what, why, advice));
}

constexpr Duration kAnnounceInterval = std::chrono::milliseconds(20);
constexpr std::string_view kReloadPath = "/api/v1/reload";
constexpr std::string_view kTapPath = "/api/v1/pipelines/tap";

class ConsoleExtension final : public pipeline::Component {
 public:
  ConsoleExtension(Config config, std::string_view, pipeline::Outputs)
      : config_(std::move(config)), token_(config_.token) {}

  Result<> start(pipeline::Host& host) override {
    clock_ = &host.clock();
    started_ns_ = clock_->monotonic_ns();
    auto* const old = dynamic_cast<ConsoleExtension*>(host.predecessor());
    if (token_.empty() && old && old->config_.token.empty()) token_ = old->token_;
    if (token_.empty()) token_ = TRY(random_token());
    book_ =
        host.lease<rollup::Book>("rollup/book", [] { return std::make_shared<rollup::Book>(); });
    board_ = host.lease<pipeline::TopologyBoard>(
        pipeline::kTopologyBoard, [] { return std::make_shared<pipeline::TopologyBoard>(); });
    statuses_ = host.lease<pipeline::StatusBoard>(
        pipeline::kStatusBoard, [] { return std::make_shared<pipeline::StatusBoard>(); });
    taps_ = std::make_unique<console::Taps>(host.scheduler(), board_,
                                            host.lease<pipeline::TapBoard>(pipeline::kTapBoard, [] {
                                              return std::make_shared<pipeline::TapBoard>();
                                            }));
    reloader_ = host.lease<pipeline::Reloader>(
        pipeline::kReloader, [] { return std::make_shared<pipeline::Reloader>(); });
    sample_pipelines();
    sampler_.start(host.scheduler(), std::chrono::seconds(console::PipelineHistory::kSampleSeconds),
                   [this] { sample_pipelines(); });
    auto server =
        net::HttpServer::listen(host.loop(), config_.endpoint,
                                [this](const net::Request& request, net::Responder responder) {
                                  take(request, std::move(responder));
                                },
                                {.max_body = 64 * 1024});
    if (!server) {
      Error failure = server.error();
      failure.message = fmt::format("extensions::{}::endpoint: {}", host.id(), failure.message);
      return std::unexpected(std::move(failure));
    }
    server_ = std::move(*server);
    session_ = console::session_value(token_, server_->port());
    host_name_ = config_.endpoint.substr(0, config_.endpoint.rfind(':'));
    if (host_name_ == "0.0.0.0" || host_name_ == "[::]") host_name_.clear();
    if (config_.print_address && !old) {
      announcer_.start(host.scheduler(), kAnnounceInterval, [this] { announce(); });
    }
    return {};
  }

  void take_over(Component& predecessor) override {
    auto& old = dynamic_cast<ConsoleExtension&>(predecessor);
    started_ns_ = old.started_ns_;
    pipelines_ = std::move(old.pipelines_);
    old.pipelines_ = {};
  }

  void stop() override {
    announcer_.stop();
    sampler_.stop();
    taps_.reset();
    if (server_) server_->drain();
  }
  bool drained() const override { return !server_ || server_->drained(); }

 private:
  // Extensions start first: the address of a page that goes away at once would send people to look
  // for it, so it is told when everything runs.
  void announce() {
    if (!statuses_->ready_since()) return;
    const std::string host = host_name_.empty() ? "127.0.0.1" : host_name_;
    // A token that somebody chose opens more than this run: output ends in logs.
    if (config_.token.empty()) {
      fmt::print("The page: http://{}:{}/?token={}\n", host, server_->port(), token_);
    } else {
      fmt::print("The page: http://{}:{}/ (its token is the configured one)\n", host,
                 server_->port());
    }
    std::fflush(stdout);
    announcer_.stop();
  }

  void sample_pipelines() { pipelines_.sample(board_->read(), clock_->unix_ns() / 1'000'000); }

  // What keeps out who holds neither the token nor its cookie, or holds the cookie and was sent
  // here by somebody else's page.
  std::optional<net::Response> refuse_stranger(const net::Request& request) const {
    const std::string_view bearer = request.header("Authorization");
    const bool by_bearer = bearer.starts_with("Bearer ");
    const std::string name = console::session_cookie(server_->port());
    const std::string_view given =
        by_bearer ? bearer.substr(7) : console::cookie(request.header("Cookie"), name);
    if (!console::same_token(given, by_bearer ? token_ : session_)) {
      return error(401, "Not signed in", "The request carries no valid token.",
                   config_.token.empty()
                       ? "Open the address with ?token=... that sonde printed at its start."
                       : "Open the page's address with ?token= and the configured token.");
    }
    if (by_bearer ||
        console::from_own_page(request.header("Origin"), request.header("Sec-Fetch-Site"),
                               request.header("Host"))) {
      return std::nullopt;
    }
    return error(403, "Another page asks", "The browser says that a page of another address asks.",
                 "Ask from the page itself, or with the token as a bearer.");
  }

  void take(const net::Request& request, net::Responder responder) {
    if (request.path == kReloadPath) return reload(request, std::move(responder));
    if (request.path == kTapPath && request.method == "GET" && taps_ && !refuse(request)) {
      return taps_->open(request.query_param("edge").value_or(""), std::move(responder));
    }
    responder.respond(answer(request));
  }

  // What keeps others out, or nothing; the page's own files need no token.
  std::optional<net::Response> refuse(const net::Request& request) const {
    if (!console::host_allowed(request.header("Host"), host_name_, server_->port())) {
      return error(403, "This name is not served", "The Host header names another machine.",
                   "Open the address that sonde printed at its start.");
    }
    return request.path.starts_with("/api/") ? refuse_stranger(request) : std::nullopt;
  }

  // Answered from another thread, when the new configuration runs or was refused.
  void reload(const net::Request& request, net::Responder responder) {
    if (auto refused = refuse(request)) return responder.respond(std::move(*refused));
    if (request.method != "POST") {
      return responder.respond(error(405, "Only POST is answered here",
                                     "Reading the configuration again changes what runs.",
                                     "Ask with POST."));
    }
    reloader_->request(
        {.why = "asked over the API",
         .done = [responder =
                      std::move(responder)](const Result<pipeline::ReloadReport>& result) mutable {
           if (result) return responder.respond(json(200, console::reload_json(*result)));
           const bool busy = result.error().kind == ErrorKind::Unavailable ||
                             result.error().kind == ErrorKind::Exhausted;
           responder.respond(error(busy ? 503 : 422, "The configuration was not changed",
                                   result.error().message,
                                   "What ran before goes on. Mend it and ask again."));
         }});
  }

  net::Response answer(const net::Request& request) {
    if (auto refused = refuse(request)) return std::move(*refused);
    if (request.method != "GET") {
      return error(405, "Only GET is answered", "The page changes nothing.", "Ask with GET.");
    }
    if (request.path.starts_with("/api/")) return api(request);
    if (auto given = request.query_param("token")) return sign_in(*given, request.target);
    return file(request.path);
  }

  // Then shows what was asked for, without the token in the address.
  net::Response sign_in(std::string_view given, std::string_view target) const {
    if (!console::same_token(given, token_)) {
      return error(401, "Wrong token", "Sonde makes a new token each time it starts.",
                   "Open the address that sonde printed at its latest start.");
    }
    net::Response r;
    r.status = 302;
    r.headers = {{"Location", std::string(console::local_path(target))},
                 {"Cache-Control", "no-store"},
                 {"Referrer-Policy", "no-referrer"},
                 {"Set-Cookie", fmt::format("{}={}; Path=/; HttpOnly; SameSite=Strict",
                                            console::session_cookie(server_->port()), session_)}};
    return r;
  }

  static const EmbeddedFile* find(std::string_view path) {
    for (const EmbeddedFile& f : embedded_files()) {
      if (f.path == path) return &f;
    }
    return nullptr;
  }

  static net::Response file(std::string_view path) {
    path.remove_prefix(path.starts_with('/') ? 1 : 0);
    const EmbeddedFile* f = find(path.empty() ? "index.html" : path);
    // The page has its own routes: what is no file and looks like none gets the page itself.
    if (!f && path.substr(path.rfind('/') + 1).find('.') == std::string_view::npos)
      f = find("index.html");
    if (!f && path.starts_with("services/")) f = find("index.html");  // Names may hold dots.
    if (!f) return error(404, "No such file", fmt::format("The page has no {}.", path), "Open /.");
    net::Response r;
    r.content_type = std::string(f->content_type);
    r.body = std::string(f->bytes);
    r.headers = {
        {"Cache-Control",
         f->path.starts_with("assets/") ? "public, max-age=31536000, immutable" : "no-cache"},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "no-referrer"},
        {"Content-Security-Policy",
         "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
         "frame-ancestors 'none'"}};
    return r;
  }

  net::Response api(const net::Request& request) {
    const int64_t now = clock_->unix_ns();
    const std::string given = request.query_param("range").value_or("5m");
    const int64_t range = console::parse_range(given);
    if (range == 0) {
      return error(400, "The range cannot be read",
                   fmt::format("\"{}\" is no span of time.", given),
                   "Write it as 5m or 90s; the longest is 15m.");
    }
    std::string_view path = std::string_view(request.path).substr(4);
    if (path == "/v1/services") {
      return json(200, console::services_json(book_->services(range, now), lost_events()));
    }
    if (path == "/v1/map") return json(200, console::map_json(book_->map(range, now)));
    if (path == "/v1/pipelines") {
      return json(200, console::pipelines_json(pipelines_.answer(board_->read(), statuses_->read(),
                                                                 range, now / 1'000'000)));
    }
    if (path == "/v1/status") return json(200, console::status_json(status()));
    constexpr std::string_view kService = "/v1/services/";
    if (path.starts_with(kService)) {
      std::string_view name = path.substr(kService.size());
      if (auto a = book_->service(name, range, now)) return json(200, console::service_json(*a));
      return error(404, fmt::format("No service named {}", name),
                   "Nothing of that name was seen in the last half hour.",
                   "Send it a request, or choose one of /services.");
    }
    return error(404, "No such answer", fmt::format("{} is not part of the API.", request.path),
                 "See api.schema.json for what is.");
  }

  static uint64_t sum(std::string_view name) { return static_cast<uint64_t>(Counters::sum(name)); }
  static uint64_t lost_events() { return sum("sonde_probe_lost_events_total"); }

  console::Status status() const {
    console::Status s;
    s.uptime_s = static_cast<double>(clock_->monotonic_ns() - started_ns_) / 1e9;
    s.lost_events = lost_events();
    s.front_end = probe::to_string(probe::running_front_end());
    s.series = sum("sonde_prometheus_series");
    s.series_overflow = sum("sonde_prometheus_refused_points_total") +
                        sum("sonde_probe_series_overflow_total") + book_->overflowed();
    s.spans_exported = sum("otelcol_exporter_sent_spans");
    if (s.lost_events > 0) {
      s.warnings.push_back(fmt::format(
          "{} kernel events found no room: figures are too low. Give the probe a larger buffer.",
          s.lost_events));
    }
    if (s.series_overflow > 0) {
      s.warnings.push_back(
          "More services, routes or series than the limits allow: the rest is shown as (other).");
    }
    if (uint64_t dropped = sum("sonde_dropped_records_total"); dropped > 0) {
      s.warnings.push_back(fmt::format(
          "{} records did not reach a back end. See the log, and sonde_dropped_records_total.",
          dropped));
    }
    return s;
  }

  Config config_;
  std::string token_, host_name_;
  std::string session_;  // The cookie of whoever has signed in.
  const Clock* clock_ = nullptr;
  int64_t started_ns_ = 0;
  std::shared_ptr<rollup::Book> book_;
  std::shared_ptr<pipeline::TopologyBoard> board_;
  std::shared_ptr<pipeline::StatusBoard> statuses_;
  std::unique_ptr<console::Taps> taps_;
  std::shared_ptr<pipeline::Reloader> reloader_;
  console::PipelineHistory pipelines_;
  RepeatingTimer sampler_;
  RepeatingTimer announcer_;
  std::unique_ptr<net::HttpServer> server_;
};

}  // namespace
}  // namespace sonde

SONDE_COMPONENT(extension, console) {
  return sonde::pipeline::make_type<sonde::ConsoleExtension, sonde::Config>(
      {.kind = sonde::pipeline::Kind::Extension,
       .name = "console",
       .aliases = {},
       .summary = "Serves the live page and its JSON.",
       .in = sonde::pipeline::kNoSignals,
       .out = sonde::pipeline::kNoSignals,
       .create = {}},
      sonde::kFields.table());
}
