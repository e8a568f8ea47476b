// SPDX-License-Identifier: Apache-2.0
// What the processor attributes costs a span of twelve attributes, beside data_bench's bare edit.
#include <benchmark/benchmark.h>

#include "config/yaml.h"
#include "data/span_writer.h"
#include "pipeline/component.h"

const sonde::pipeline::ComponentType& sonde_component_processor_attributes();

namespace sonde {
namespace {

constexpr size_t kSpans = 1000;

// One span of so many attributes: what a peer may send to keep a thread busy.
Batch one_large(size_t count) {
  std::vector<std::string> keys;
  for (size_t i = 0; i < count; ++i) keys.push_back("key." + std::to_string(i));
  std::vector<Attribute> attributes;
  for (const std::string& key : keys) attributes.push_back({key, "value"});
  TraceBatchBuilder builder;
  builder.resource({{"service.name", "orders"}}).scope("bench");
  builder.span({.trace_id = "0123456789abcdef", .span_id = "01234567", .name = "large"},
               attributes);
  return builder.build();
}

Batch sample() {
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
  builder.resource({{"service.name", "orders"}}).scope("bench");
  for (size_t i = 0; i < kSpans; ++i) {
    builder.span({.trace_id = "0123456789abcdef",
                  .span_id = "01234567",
                  .parent_span_id = "76543210",
                  .name = "GET /orders/{id}",
                  .kind = SpanKind::Server,
                  .start_ns = 1'700'000'000'000'000'000,
                  .end_ns = 1'700'000'000'010'000'000},
                 attributes);
  }
  return builder.build();
}

class Swallow final : public Sink {
  void consume(Batch batch) override { benchmark::DoNotOptimize(batch.bytes()); }
};

void run(benchmark::State& state, std::string_view settings, const Batch& batch,
         size_t spans = kSpans) {
  Swallow sink;
  auto processor = sonde_component_processor_attributes().create(
      *config::parse_yaml(settings, "bench.yaml"), "attributes", {.traces = &sink});
  if (!processor) std::abort();
  for (auto _ : state) {
    Batch next(Signal::Traces, batch.chunks);
    next.set_items(spans);
    (*processor)->consume(std::move(next));
  }
  state.counters["per_span"] =
      benchmark::Counter(static_cast<double>(state.iterations() * spans),
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void Insert(benchmark::State& state) {
  run(state, "actions: [{key: environment, action: insert, value: production}]", sample());
}
BENCHMARK(Insert)->Unit(benchmark::kMicrosecond);

void InsertWhereSelected(benchmark::State& state) {
  run(state,
      "{include: {match_type: strict, services: [orders]}, actions: [{key: environment, action: "
      "insert, value: production}]}",
      sample());
}
BENCHMARK(InsertWhereSelected)->Unit(benchmark::kMicrosecond);

void InsertUpdateDelete(benchmark::State& state) {
  run(state,
      "actions: [{key: environment, action: insert, value: production}, {key: http.route, action: "
      "update, value: x}, {key: thread.id, action: delete}]",
      sample());
}
BENCHMARK(InsertUpdateDelete)->Unit(benchmark::kMicrosecond);

// Grows with the attributes, not with their square.
void HashByPattern(benchmark::State& state) {
  run(state, "actions: [{pattern: '^key', action: hash}]",
      one_large(static_cast<size_t>(state.range(0))), 1);
}
BENCHMARK(HashByPattern)->Arg(400)->Arg(40'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sonde
