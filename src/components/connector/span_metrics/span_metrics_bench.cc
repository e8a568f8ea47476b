// SPDX-License-Identifier: Apache-2.0
// What counting a span costs: of services as they are, and of a resource that is made to be dear.
#include <benchmark/benchmark.h>

#include "config/yaml.h"
#include "data/span_writer.h"
#include "pipeline/test_host.h"

const sonde::pipeline::ComponentType& sonde_component_connector_span_metrics();

namespace sonde {
namespace {

constexpr size_t kSpans = 1000;

// Spans of twelve attributes and twenty names, spread over so many resources.
Batch sample(size_t resources, std::string_view service = "orders") {
  const Attribute attributes[] = {{"http.request.method", "GET"},
                                  {"url.path", "/orders/12345"},
                                  {"url.scheme", "https"},
                                  {"http.response.status_code", int64_t{200}},
                                  {"http.route", "/orders/{id}"},
                                  {"server.address", "orders.shop.internal"},
                                  {"server.port", int64_t{8443}},
                                  {"client.address", "10.17.3.201"},
                                  {"network.peer.address", "10.17.3.201"},
                                  {"user_agent.original", "Mozilla/5.0 (X11; Linux x86_64)"},
                                  {"http.response.body.size", int64_t{5123}},
                                  {"thread.id", int64_t{17}}};
  TraceBatchBuilder builder;
  for (size_t r = 0; r < resources; ++r) {
    const std::string instance = "7f0c2a51-9b1e-4c6f-8f7a-" + std::to_string(100'000'000'000 + r);
    builder
        .resource({{"service.name", service},
                   {"service.namespace", "shop"},
                   {"service.instance.id", std::string_view(instance)},
                   {"telemetry.sdk.language", "java"},
                   {"telemetry.sdk.name", "opentelemetry"},
                   {"host.name", "node-17.shop.internal"}})
        .scope("bench");
    for (size_t i = 0; i < kSpans / resources; ++i) {
      const std::string name = "GET /orders/{id}/" + std::to_string(i % 20);
      builder.span({.trace_id = "0123456789abcdef",
                    .span_id = "01234567",
                    .parent_span_id = "76543210",
                    .name = name,
                    .kind = SpanKind::Server,
                    .start_ns = 1'700'000'000'000'000'000,
                    .end_ns = 1'700'000'000'010'000'000},
                   attributes);
    }
  }
  return builder.build();
}

class Swallow final : public Sink {
  void consume(Batch batch) override { benchmark::DoNotOptimize(batch.bytes()); }
};

void run(benchmark::State& state, std::string_view settings, const Batch& batch) {
  Swallow sink;
  auto connector = sonde_component_connector_span_metrics().create(
      *config::parse_yaml(settings, "bench.yaml"), "span_metrics", {.metrics = &sink});
  pipeline::TestHost host;
  if (!connector || !(*connector)->start(host)) std::abort();
  for (auto _ : state) {
    Batch next(Signal::Traces, batch.chunks);
    next.set_items(kSpans);
    (*connector)->consume(std::move(next));
  }
  (*connector)->stop();
  state.counters["per_span"] =
      benchmark::Counter(static_cast<double>(state.iterations() * kSpans),
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void CountSpans(benchmark::State& state) {
  run(state, "{}", sample(static_cast<size_t>(state.range(0))));
}
BENCHMARK(CountSpans)->Arg(1)->Arg(10)->Arg(100)->Unit(benchmark::kMicrosecond);

void CountSpansByDimensions(benchmark::State& state) {
  run(state,
      "dimensions: [{name: http.route}, {name: http.response.status_code}, {name: host.name}]",
      sample(static_cast<size_t>(state.range(0))));
}
BENCHMARK(CountSpansByDimensions)->Arg(1)->Arg(100)->Unit(benchmark::kMicrosecond);

// Does not grow with the name of the service.
void CountSpansOfALongName(benchmark::State& state) {
  run(state, "{}", sample(1, std::string(static_cast<size_t>(state.range(0)), 's')));
}
BENCHMARK(CountSpansOfALongName)->Arg(100)->Arg(1'000'000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace sonde
