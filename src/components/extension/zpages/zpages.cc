// SPDX-License-Identifier: Apache-2.0
// The extension `zpages`: what runs and how it fares, as plain pages at the Collector's addresses.
#include "components/extension/zpages/pages.h"
#include "pipeline/component.h"
#include "pipeline/side_server.h"

namespace sonde::zpages {
namespace {

struct Expvar {
  bool enabled = false;
};
struct Config {
  pipeline::HttpServerSettings server{.endpoint = "localhost:55679"};
  Expvar expvar;

  Result<> validate() const {
    if (server.endpoint.empty())
      return fail(ErrorKind::Invalid,
                  "\"endpoint\" is required when using the \"zpages\" extension");
    return pipeline::check_http_server(server);
  }
};

constexpr auto kExpvarFields = config::fields<Expvar>(
    config::field("enabled", &Expvar::enabled,
                  "No effect: /debug/expvarz is Go's; own metrics are those of "
                  "service::telemetry::metrics."));
constexpr auto kFields = config::fields<Config>(
    config::embed(&Config::server, pipeline::kHttpServerFields),
    config::field("expvar", &Config::expvar, kExpvarFields, "The variables of a Go program."));

class Zpages final : public pipeline::Component {
 public:
  Zpages(Config config, std::string_view, pipeline::Outputs) : config_(std::move(config)) {}

  Result<> start(pipeline::Host& host) override {
    statuses_ = board<pipeline::StatusBoard>(host, pipeline::kStatusBoard);
    topology_ = board<pipeline::TopologyBoard>(host, pipeline::kTopologyBoard);
    facts_ = board<pipeline::ProcessFactsBoard>(host, pipeline::kProcessFacts);
    server_ = TRY(pipeline::serve_beside(
        host, config_.server, [this](const net::Request& request, net::Responder responder) {
          responder.respond(answer(request));
        }));
    return {};
  }
  void stop() override {
    if (server_) server_->drain();
  }
  bool drained() const override { return !server_ || server_->drained(); }

 private:
  template <class Board>
  static std::shared_ptr<Board> board(pipeline::Host& host, std::string_view identity) {
    return host.lease<Board>(identity, [] { return std::make_shared<Board>(); });
  }

  net::Response answer(const net::Request& request) const {
    constexpr std::string_view kRoot = "/debug/";
    if (!request.path.starts_with(kRoot)) return pipeline::no_such_page();
    const std::string_view name = std::string_view(request.path).substr(kRoot.size());
    if (name == "servicez") return html(service_page(*facts_->read()));
    if (name == "pipelinez") return html(pipeline_page(*topology_->read(), statuses_->read()));
    if (name == "extensionz") return html(extension_page(*topology_->read(), statuses_->read()));
    if (name == "featurez") return html(feature_page(*facts_->read()));
    if (name == "tracez") return html(trace_page());
    return pipeline::no_such_page();
  }

  static net::Response html(std::string body) {
    return {200,
            "text/html; charset=utf-8",
            std::move(body),
            {{"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"},
             {"X-Content-Type-Options", "nosniff"}}};
  }

  const Config config_;
  std::shared_ptr<pipeline::StatusBoard> statuses_;
  std::shared_ptr<pipeline::TopologyBoard> topology_;
  std::shared_ptr<pipeline::ProcessFactsBoard> facts_;
  std::unique_ptr<net::HttpServer> server_;
};

}  // namespace
}  // namespace sonde::zpages

SONDE_COMPONENT(extension, zpages) {
  using namespace sonde;
  return pipeline::make_type<zpages::Zpages, zpages::Config>(
      {.kind = pipeline::Kind::Extension,
       .name = "zpages",
       .summary = "Serves plain pages of what runs and how it fares.",
       .stability = "alpha"},
      zpages::kFields.table());
}
