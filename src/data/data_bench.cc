// SPDX-License-Identifier: Apache-2.0
// The bar of this room: decode, one attribute edit a span, encode, on a batch of 1000 spans with
// twelve attributes, must take at most 0.07 of what libprotobuf with an arena takes. The last
// benchmark times both and reports the ratio.
#include <benchmark/benchmark.h>
#include <google/protobuf/arena.h>

#include <ctime>

#include "data/count.h"
#include "data/edit.h"
#include "data/testing/otlp.pb.h"
#include "data/testing/sample.h"
#include "data/trace_view.h"
#include "data/valid.h"

namespace sonde {
namespace {

constexpr size_t kSpans = 1000;

const Batch& sample() {
  static const Batch batch = testing::sample_spans(kSpans);
  return batch;
}

class SetRoute : public Editor {
  bool span(SpanEdit& span, Owners&) override {
    span.attributes().set("http.route", "/orders/{number}");
    return true;
  }
};

size_t ours(Rewriter& rewriter) {
  SetRoute editor;
  auto done = rewriter.rewrite(Signal::Traces, sample().chunks[0], editor);
  if (!done) std::abort();
  return done->chunk.size();
}

size_t theirs() {
  google::protobuf::ArenaOptions options;
  options.start_block_size = 1 << 20;
  options.max_block_size = 1 << 20;
  google::protobuf::Arena arena(options);
  auto* request = google::protobuf::Arena::CreateMessage<testing::TracesRequest>(&arena);
  const std::string_view chunk = sample().chunks[0].view();
  if (!request->ParseFromArray(chunk.data(), static_cast<int>(chunk.size()))) std::abort();
  for (auto& group : *request->mutable_resource_spans())
    for (auto& scope : *group.mutable_scope_spans())
      for (auto& span : *scope.mutable_spans())
        for (auto& attribute : *span.mutable_attributes())
          if (attribute.key() == "http.route")
            attribute.mutable_value()->set_string_value("/orders/{number}");
  return request->SerializeAsString().size();
}

void per_span(benchmark::State& state) {
  state.counters["per_span"] =
      benchmark::Counter(static_cast<double>(state.iterations() * kSpans),
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void DecodeEditEncode(benchmark::State& state) {
  Rewriter rewriter;
  for (auto _ : state) benchmark::DoNotOptimize(ours(rewriter));
  per_span(state);
}
BENCHMARK(DecodeEditEncode)->Unit(benchmark::kMicrosecond);

void DecodeEditEncodeLibprotobuf(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(theirs());
  per_span(state);
}
BENCHMARK(DecodeEditEncodeLibprotobuf)->Unit(benchmark::kMicrosecond);

class Look : public Editor {
 public:
  explicit Look(bool ask) : ask_(ask) {}
  bool span(SpanEdit& span, Owners&) override {
    if (ask_) seen += span.attributes().has("http.route") ? 1 : 0;
    return true;
  }
  size_t seen = 0;

 private:
  bool ask_;
};

// What passing through costs: the walk, an item that is asked for one attribute, and counting.
void Visit(benchmark::State& state) {
  Rewriter rewriter;
  Look editor(state.range(0) != 0);
  for (auto _ : state)
    benchmark::DoNotOptimize(
        rewriter.rewrite(Signal::Traces, sample().chunks[0], editor)->chunk.size());
  per_span(state);
}
BENCHMARK(Visit)->Arg(0)->Arg(1)->Unit(benchmark::kMicrosecond);

void CountSpans(benchmark::State& state) {
  for (auto _ : state)
    benchmark::DoNotOptimize(count_items(Signal::Traces, sample().chunks[0].view()).value());
  per_span(state);
}
BENCHMARK(CountSpans)->Unit(benchmark::kMicrosecond);

void ValidateSpans(benchmark::State& state) {
  if (!validate(sample())) std::abort();
  for (auto _ : state) benchmark::DoNotOptimize(validate(sample()).has_value());
  per_span(state);
}
BENCHMARK(ValidateSpans)->Unit(benchmark::kMicrosecond);

void WriteSpans(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(testing::sample_spans(kSpans).bytes());
  per_span(state);
}
BENCHMARK(WriteSpans)->Unit(benchmark::kMicrosecond);

void ReadSpans(benchmark::State& state) {
  size_t total = 0;
  for (auto _ : state)
    (void)for_each_span(sample(), [&](const ResourceView&, const ScopeView&, const SpanView& span) {
      total += span.get("http.route").as_string().size();
    });
  benchmark::DoNotOptimize(total);
  per_span(state);
}
BENCHMARK(ReadSpans)->Unit(benchmark::kMicrosecond);

void DecodeEditEncodeToLibprotobuf(benchmark::State& state) {
  // The time of this thread on the processor, so that a busy machine does not decide.
  const auto now = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
  };
  Rewriter rewriter;
  if (ours(rewriter) != theirs()) std::abort();
  double us = 0;
  double them = 0;
  for (auto _ : state) {
    const double begin = now();
    benchmark::DoNotOptimize(ours(rewriter));
    const double middle = now();
    benchmark::DoNotOptimize(theirs());
    us += middle - begin;
    them += now() - middle;
  }
  state.counters["ratio"] = us / them;
}
BENCHMARK(DecodeEditEncodeToLibprotobuf)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace sonde
