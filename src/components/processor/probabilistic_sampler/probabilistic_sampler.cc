// SPDX-License-Identifier: Apache-2.0
//
// The processor `probabilistic_sampler`: keeps a share of all traces, whole. The decision hangs on
// the trace id and the seed alone and is computed as the Collector computes it (mode hash_seed), so
// a fleet in which both run keeps the same traces. `sampling.priority` on a span overrides it.
// It does not adjust counts: metrics that must be exact are derived before it.
#include "base/counters.h"
#include "data/trace_view.h"
#include "pipeline/component.h"
#include "pipeline/split_records.h"

namespace sonde {
namespace {

constexpr uint32_t kBuckets = 0x4000;

struct Config {
  double sampling_percentage = 0;
  uint32_t hash_seed = 0;
  std::string mode = "hash_seed";
  bool fail_closed = true;
};

constexpr auto kFields = config::fields<Config>(
    config::field("sampling_percentage", &Config::sampling_percentage, "Share of traces kept.",
                  {.min = 0, .max = 100, .unit = "%", .required = true}),
    config::field("hash_seed", &Config::hash_seed,
                  "Must be equal where traces are to be kept or dropped together."),
    config::field("mode", &Config::mode, "How the decision is made.", {.choices = "hash_seed"}),
    config::field("fail_closed", &Config::fail_closed, "Whether spans without a trace id drop."));

uint32_t collector_hash(uint32_t seed, std::string_view id) {
  uint32_t hash = 2166136261U;
  const auto add = [&](uint8_t byte) { hash = (hash ^ byte) * 16777619U; };
  for (int shift = 0; shift < 32; shift += 8) add(static_cast<uint8_t>(seed >> shift));
  for (const char c : id) add(static_cast<uint8_t>(c));
  return hash;
}

class ProbabilisticSampler final : public pipeline::Component {
 public:
  ProbabilisticSampler(const Config& config, std::string_view id, pipeline::Outputs outputs)
      : seed_(config.hash_seed),
        threshold_(static_cast<uint32_t>(config.sampling_percentage * kBuckets / 100)),
        keep_without_id_(!config.fail_closed),
        outputs_(outputs),
        kept_(count(id, "true")),
        dropped_(count(id, "false")) {}

  void consume(Batch batch) override {
    std::vector<Bytes> kept;
    for (const Bytes& chunk : batch.chunks) {
      auto parts = pipeline::split_records(
          chunk, 1, [this](std::string_view, std::string_view record) { return choose(record); });
      if (!parts[0].empty()) kept.push_back(std::move(parts[0]));
    }
    if (kept.empty()) return batch.ack.deliver();  // Dropping by rule is what was asked for.
    outputs_.send(std::move(batch).with(std::move(kept)));
  }

 private:
  static Counter& count(std::string_view id, std::string_view sampled) {
    return counter("otelcol_processor_probabilistic_sampler_count_traces_sampled",
                   "Spans by whether they were kept.",
                   {{"policy", "trace_id_hash"},
                    {"processor", std::string(id)},
                    {"sampled", std::string(sampled)}});
  }

  uint32_t choose(std::string_view record) {
    SpanView span;
    const bool keep = SpanView::parse(record, span) ? keeps(span) : keep_without_id_;
    (keep ? kept_ : dropped_).add();
    return keep ? 0 : pipeline::kDropRecord;
  }

  bool keeps(const SpanView& span) const {
    const auto priority = span.get("sampling.priority").number();
    if (priority) return *priority > 0;
    if (span.trace_id.empty()) return keep_without_id_;
    return (collector_hash(seed_, span.trace_id) & (kBuckets - 1)) < threshold_;
  }

  const uint32_t seed_;
  const uint32_t threshold_;
  const bool keep_without_id_;
  const pipeline::Outputs outputs_;
  Counter& kept_;
  Counter& dropped_;
};

}  // namespace
}  // namespace sonde

SONDE_COMPONENT(processor, probabilistic_sampler) {
  using namespace sonde;
  return pipeline::make_type<ProbabilisticSampler, Config>(
      {.kind = pipeline::Kind::Processor,
       .name = "probabilistic_sampler",
       .summary = "Keeps a share of all traces, whole, by their trace id.",
       .in = pipeline::kTraces,
       .out = pipeline::kTraces,
       .placement = pipeline::Placement::Replicated,
       .stability = "beta"},
      kFields.table());
}
