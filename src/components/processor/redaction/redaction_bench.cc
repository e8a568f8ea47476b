// SPDX-License-Identifier: Apache-2.0
// What the processor redaction costs one span of many attributes that are all masked: it grows with
// them, not with their square.
#include <benchmark/benchmark.h>

#include "config/yaml.h"
#include "data/span_writer.h"
#include "pipeline/component.h"

const sonde::pipeline::ComponentType& sonde_component_processor_redaction();

namespace sonde {
namespace {

class Swallow final : public Sink {
  void consume(Batch batch) override { benchmark::DoNotOptimize(batch.bytes()); }
};

void MaskEveryValue(benchmark::State& state) {
  std::vector<std::string> keys;
  for (int64_t i = 0; i < state.range(0); ++i) keys.push_back("key." + std::to_string(i));
  std::vector<Attribute> attributes;
  for (const std::string& key : keys) attributes.push_back({key, "a secret"});
  TraceBatchBuilder builder;
  builder.resource({{"service.name", "orders"}}).scope("bench");
  builder.span({.trace_id = "0123456789abcdef", .span_id = "01234567", .name = "large"},
               attributes);
  const Batch batch = builder.build();
  Swallow sink;
  auto processor = sonde_component_processor_redaction().create(
      *config::parse_yaml("{allow_all_keys: true, blocked_values: [secret]}", "bench.yaml"),
      "redaction", {.traces = &sink});
  if (!processor) std::abort();
  for (auto _ : state) {
    Batch next(Signal::Traces, batch.chunks);
    next.set_items(1);
    (*processor)->consume(std::move(next));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(MaskEveryValue)->Arg(400)->Arg(40'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sonde
