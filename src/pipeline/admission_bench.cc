// SPDX-License-Identifier: Apache-2.0
// What admission costs a request: room in the sending queues behind a receiver, asked for when its
// length is known, again when its items are, and given back.
#include <benchmark/benchmark.h>

#include "pipeline/queue/queue_room.h"

namespace sonde::pipeline {
namespace {

void admission(benchmark::State& state) {
  auto gates = std::make_shared<Gates>();
  for (int64_t i = 0; i < state.range(0); ++i)
    gates->push_back(std::make_shared<QueueRoom>("otlp_grpc", QueueSettings{}));
  const std::shared_ptr<const Gates> all = gates;
  for (auto _ : state) {
    benchmark::DoNotOptimize(MemoryLedger::process().has_room(8192));
    auto admitted = Admission::ask(all, {1, 0, 5000});
    benchmark::DoNotOptimize(admitted->change({1, 10, 5000}));
    admitted->end();
  }
}
BENCHMARK(admission)->ArgName("queues")->Arg(1)->Arg(2)->Arg(5);

}  // namespace
}  // namespace sonde::pipeline
