// SPDX-License-Identifier: Apache-2.0
// Feeds the live book of the page from server and client spans. It keeps no span: a batch is
// delivered when it was read. The book is leased, so that the console on any shard reads the same
// one.
#include <optional>

#include "pipeline/component.h"
#include "rollup/book.h"
#include "rollup/span_observation.h"

namespace sonde {
namespace {

struct Config {
  int64_t max_services = 500;
  int64_t max_endpoints = 100;
  int64_t max_edges = 2000;
};

constexpr auto kFields = config::fields<Config>(
    config::field("max_services", &Config::max_services, "Services the page tells apart.",
                  {.min = 1, .max = 100000}),
    config::field("max_endpoints", &Config::max_endpoints, "Endpoints told apart per service.",
                  {.min = 1, .max = 10000}),
    config::field("max_edges", &Config::max_edges, "Pairs of caller and callee told apart.",
                  {.min = 1, .max = 1000000}));

class RollupExporter final : public pipeline::Component {
 public:
  RollupExporter(Config config, std::string_view, pipeline::Outputs) : config_(config) {}

  Result<> start(pipeline::Host& host) override {
    clock_ = &host.clock();
    if (host.predecessor()) {
      return fail(
          ErrorKind::Invalid,
          "the bounds of what the page tells apart are set when sonde starts; restart it to "
          "change them");
    }
    book_ = host.lease<rollup::Book>("rollup/book", [&] {
      return std::make_shared<rollup::Book>(
          rollup::BookLimits{.services = static_cast<size_t>(config_.max_services),
                             .endpoints_per_service = static_cast<size_t>(config_.max_endpoints),
                             .edges = static_cast<size_t>(config_.max_edges)});
    });
    return {};
  }

  void consume(Batch batch) override {
    const int64_t now = clock_->unix_ns();
    for (const Bytes& chunk : batch.chunks) {
      std::optional<size_t> group;
      rollup::ServiceFacts service;
      // Bytes that do not parse were counted by whoever received them; the whole spans still count.
      (void)for_each_span(chunk, [&](const ResourceView& r, const ScopeView&, const SpanView& s) {
        if (group != r.group) {
          service = rollup::facts_of(r);
          book_->describe(service, now);
        }
        group = r.group;
        if (auto o = rollup::observation_of(service, s)) book_->observe(*o, now);
      });
    }
    batch.ack.deliver();
  }

 private:
  Config config_;
  const Clock* clock_ = nullptr;
  std::shared_ptr<rollup::Book> book_;
};

}  // namespace
}  // namespace sonde

SONDE_COMPONENT(exporter, rollup) {
  return sonde::pipeline::make_type<sonde::RollupExporter, sonde::Config>(
      {.kind = sonde::pipeline::Kind::Exporter,
       .name = "rollup",
       .aliases = {},
       .summary = "Feeds the live page with services, endpoints and calls.",
       .in = sonde::pipeline::kTraces,
       .out = sonde::pipeline::kNoSignals,
       .create = {}},
      sonde::kFields.table());
}
