// SPDX-License-Identifier: Apache-2.0
//
// The processor `probabilistic_sampler`: keeps a share of all traces, whole, and of log records. It
// decides as the Collector does in all three modes, so that a fleet in which both run keeps the
// same traces, and writes the threshold that it applied beside the item, so that back ends can
// count what was dropped. `sampling.priority` on a span overrides it. Metrics that must be exact
// are derived before it.
#include <charconv>
#include <cmath>
#include <limits>
#include <map>

#include "base/counters.h"
#include "components/processor/probabilistic_sampler/consistent.h"
#include "data/collector_text.h"
#include "pipeline/editing_processor.h"

namespace sonde {
namespace {

using sampling::Randomness;
using sampling::Threshold;

constexpr uint32_t kBuckets = 0x4000;
constexpr std::string_view kThresholdAttribute = "sampling.threshold";
constexpr std::string_view kRandomnessAttribute = "sampling.randomness";

struct Config {
  double sampling_percentage = 0;
  uint32_t hash_seed = 0;
  std::string mode;
  bool fail_closed = true;
  uint32_t sampling_precision = 4;
  std::string attribute_source = "traceID";
  std::string from_attribute;
  std::string sampling_priority;

  Result<> validate() const {
    if (!std::isfinite(sampling_percentage))
      return fail(ErrorKind::Invalid, "sampling_percentage: it is no number");
    // The Collector keeps it as a float32.
    if (sampling_percentage > std::numeric_limits<float>::max())
      return fail(ErrorKind::Invalid, "sampling_percentage: it is too large; 100 is all");
    if (sampling_percentage > 0 && sampling_percentage / 100 < sampling::least_probability())
      return fail(ErrorKind::Invalid, "sampling_percentage: it is too small to be told from 0");
    return {};
  }
};

constexpr auto kFields = config::fields<Config>(
    config::field("sampling_percentage", &Config::sampling_percentage,
                  "Share of traces and records kept; more than 100 is all.",
                  {.min = 0, .unit = "%"}),
    config::field("hash_seed", &Config::hash_seed,
                  "Mode hash_seed: must be equal where traces are kept or dropped together."),
    config::field("mode", &Config::mode,
                  "How the decision is made: hash_seed where it is not given.",
                  {.choices = "|hash_seed|proportional|equalizing"}),
    config::field("fail_closed", &Config::fail_closed,
                  "Whether items drop that lack randomness or contradict themselves."),
    config::field("sampling_precision", &Config::sampling_precision,
                  "Hexadecimal digits of the threshold.", {.min = 1, .max = sampling::kDigits}),
    config::field("attribute_source", &Config::attribute_source,
                  "Logs: whether the trace id decides, or from_attribute alone.",
                  {.choices = "|traceID|record", .null_is_absent = true}),
    config::field("from_attribute", &Config::from_attribute,
                  "Logs: the attribute that decides where there is no trace id."),
    config::field("sampling_priority", &Config::sampling_priority,
                  "Logs: the attribute that holds another percentage for a record."));

uint32_t collector_hash(uint32_t seed, std::string_view bytes) {
  uint32_t hash = 2166136261U;
  const auto add = [&](uint8_t byte) { hash = (hash ^ byte) * 16777619U; };
  for (int shift = 0; shift < 32; shift += 8) add(static_cast<uint8_t>(seed >> shift));
  for (const char c : bytes) add(static_cast<uint8_t>(c));
  return hash;
}

bool is_empty_id(std::string_view id) {
  return id.find_first_not_of('\0') == std::string_view::npos;
}

// What is known of one item before the decision.
struct Found {
  std::optional<Randomness> randomness;
  std::string_view policy = "missing_randomness";
  std::optional<Threshold> threshold;  // That an earlier sampler applied.
  bool fault = false;                  // It cannot be judged.
  bool writable = true;                // What was applied may be written beside it.
};

class ProbabilisticSampler final : public pipeline::EditingProcessor {
 public:
  ProbabilisticSampler(const Config& config, std::string_view id, pipeline::Outputs outputs)
      : EditingProcessor(id, outputs), config_(config) {
    // The Collector computes with 32 bits; so must whoever decides the same.
    const float percentage = std::min(static_cast<float>(config.sampling_percentage), 100.0F);
    ratio_ = static_cast<double>(percentage) / 100;
    const auto scaled = static_cast<uint32_t>(percentage * (static_cast<float>(kBuckets) / 100.0F));
    if (config.mode == "proportional") mode_ = Mode::Proportional;
    if (config.mode == "equalizing") mode_ = Mode::Equalizing;
    if (ratio_ == 0 || (mode_ == Mode::Hash && scaled == 0)) mode_ = Mode::Never;
    own_ = mode_ == Mode::Hash
               ? Threshold{uint64_t{kBuckets - scaled} << 42}
               : sampling::threshold_of(ratio_, precision()).value_or(Threshold{sampling::kNever});
  }

 private:
  enum class Mode : uint8_t { Never, Hash, Proportional, Equalizing };

  int precision() const { return static_cast<int>(config_.sampling_precision); }

  bool span(SpanEdit& span, Owners&) override {
    const SpanView view = span.original();
    auto state = sampling::TraceState::parse(view.trace_state);
    Found found;
    if (!state) {
      found.fault = true;
      found.writable = false;
    } else {
      found.threshold = state->threshold;
    }
    find_span_randomness(view.trace_id, state ? state->randomness : std::nullopt, found);
    Threshold threshold = decide(found);
    if (const auto priority = priority_of(span)) {
      threshold = *priority ? sampling::kAlways : sampling::kNever;
      found.policy = "sampling_priority";
    }
    const bool keep = threshold.keeps(found.randomness.value_or(Randomness()));
    if (keep && found.writable) {
      if (mode_ == Mode::Hash) state->randomness = found.randomness.value_or(Randomness());
      state->threshold = found.threshold;
      if (!state->threshold || threshold.value >= state->threshold->value)
        state->threshold = threshold;
      state->write_to(scratch_);
      span.set_trace_state(scratch_);
    }
    count(Signal::Traces, found.policy, keep);
    return keep;
  }

  void find_span_randomness(std::string_view trace_id, std::optional<Randomness> explicit_one,
                            Found& found) const {
    if (mode_ == Mode::Never) return set(found, Randomness(), "sampling_priority");
    const bool has_id = !is_empty_id(trace_id);
    if (mode_ == Mode::Hash) {
      if (has_id) {
        set(found, sampling::randomness_of_hash(collector_hash(config_.hash_seed, trace_id)),
            "trace_id_hash");
      }
      // Somebody else samples consistently: this mode must not touch what they wrote.
      if (explicit_one || found.threshold) found.fault = true, found.writable = false;
    } else if (explicit_one) {
      set(found, *explicit_one, "sampling_randomness");
    } else if (has_id && !found.fault) {
      set(found, sampling::randomness_of_trace(trace_id), "trace_id_w3c");
    }
  }

  static void set(Found& found, Randomness randomness, std::string_view policy) {
    found.randomness = randomness;
    found.policy = policy;
  }

  // The threshold that is applied. An arriving one that contradicts the randomness is forgotten.
  Threshold decide(Found& found) const {
    if (!found.randomness) found.fault = true;
    if (!found.fault && found.threshold && !found.threshold->keeps(*found.randomness)) {
      found.threshold.reset();
      found.fault = true;
    }
    if (found.fault) return config_.fail_closed ? sampling::kNever : sampling::kAlways;
    switch (mode_) {
      case Mode::Never:
        return sampling::kNever;
      case Mode::Hash:
        return own_;
      case Mode::Equalizing:
        return found.threshold && found.threshold->value > own_.value ? *found.threshold : own_;
      case Mode::Proportional:
        break;
    }
    const double incoming = found.threshold ? found.threshold->probability() : 1;
    return sampling::threshold_of(incoming * ratio_, precision())
        .value_or(Threshold{sampling::kNever});
  }

  // Whether a span says that it must be kept, or must not; nothing where it does not say.
  static std::optional<bool> priority_of(SpanEdit& span) {
    const auto value = span.attributes().get("sampling.priority");
    if (!value) return std::nullopt;
    std::optional<double> number = value->number();
    if (value->is_string()) {
      std::string_view text = value->as_string();
      if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
      double parsed = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parsed);
      if (error == std::errc() && end == text.data() + text.size()) number = parsed;
    }
    if (!number || !(*number >= 0)) return std::nullopt;
    return *number > 0;
  }

  bool log(LogEdit& log, Owners&) override {
    Found found;
    std::optional<Randomness> explicit_one;
    const auto digits = [&](std::string_view key) {
      const auto value = log.attributes().get(key);
      return value ? value->as_string() : std::string_view();
    };
    if (const std::string_view text = digits(kThresholdAttribute); !text.empty()) {
      found.threshold = sampling::read_threshold(text);
      found.fault |= !found.threshold;
    }
    if (const std::string_view text = digits(kRandomnessAttribute); !text.empty()) {
      explicit_one = sampling::read_randomness(text);
      found.fault |= !explicit_one;
    }
    if (found.fault) found.writable = false;
    find_log_randomness(log, explicit_one, found);
    Threshold threshold = decide(found);
    if (const auto priority = log_priority(log)) {
      threshold = *priority;
      found.policy = "sampling_priority";
    }
    const bool keep = threshold.keeps(found.randomness.value_or(Randomness()));
    if (keep && found.writable) {
      std::array<char, sampling::kDigits> text;
      if (mode_ == Mode::Hash && found.randomness)
        log.attributes().set(kRandomnessAttribute, sampling::write(*found.randomness, text));
      if (!found.threshold || threshold.value >= found.threshold->value)
        log.attributes().set(kThresholdAttribute, sampling::write(threshold, text));
    }
    count(Signal::Logs, found.policy, keep);
    return keep;
  }

  void find_log_randomness(LogEdit& log, std::optional<Randomness> explicit_one, Found& found) {
    if (mode_ == Mode::Never) return set(found, Randomness(), "sampling_priority");
    const std::string_view trace_id = log.message().bytes_field(otlp::log::kTraceId);
    const bool has_id = trace_id.size() == 16 && !is_empty_id(trace_id);
    if (mode_ != Mode::Hash) {
      if (found.fault) return;
      if (explicit_one) return set(found, *explicit_one, "sampling_randomness");
      if (has_id) set(found, sampling::randomness_of_trace(trace_id), "trace_id_w3c");
      return;
    }
    const auto hashed = [&](std::string_view bytes) {
      return sampling::randomness_of_hash(collector_hash(config_.hash_seed, bytes));
    };
    if (has_id && config_.attribute_source == "traceID") {
      set(found, hashed(trace_id), "trace_id_hash");
    } else if (!config_.from_attribute.empty()) {
      if (const auto value = log.attributes().get(config_.from_attribute)) {
        const bool raw = value->is_string() || value->kind() == AnyValueView::Kind::Bytes;
        if (!raw) scratch_ = collector_text(*value);
        const std::string_view bytes = raw ? value->bytes() : std::string_view(scratch_);
        if (!bytes.empty()) set(found, hashed(bytes), config_.from_attribute);
      }
    }
    if (explicit_one || found.threshold) found.fault = true, found.writable = false;
  }

  // Nothing where the record has no percentage of its own, or none above 0 and up to 100.
  std::optional<Threshold> log_priority(LogEdit& log) const {
    if (config_.sampling_priority.empty()) return std::nullopt;
    const auto value = log.attributes().get(config_.sampling_priority);
    if (!value) return std::nullopt;
    return sampling::threshold_of(value->number().value_or(0) / 100, precision());
  }

  void count(Signal signal, std::string_view policy, bool kept) {
    auto& slot = counters_[{signal, kept}];
    auto at = slot.find(policy);
    if (at == slot.end()) {
      const std::string name = std::string("otelcol_processor_probabilistic_sampler_count_") +
                               (signal == Signal::Traces ? "traces" : "logs") + "_sampled";
      at = slot.emplace(policy, &counter(name, "Items by whether they were kept, and by what.",
                                         {{"policy", std::string(policy)},
                                          {"processor", id()},
                                          {"sampled", kept ? "true" : "false"}}))
               .first;
    }
    at->second->add();
  }

  const Config config_;
  Mode mode_ = Mode::Hash;
  double ratio_ = 0;
  Threshold own_;
  std::string scratch_;
  std::map<std::pair<Signal, bool>, std::map<std::string, Counter*, std::less<>>> counters_;
};

}  // namespace
}  // namespace sonde

SONDE_COMPONENT(processor, probabilistic_sampler) {
  using namespace sonde;
  return pipeline::make_type<ProbabilisticSampler, Config>(
      {.kind = pipeline::Kind::Processor,
       .name = "probabilistic_sampler",
       .summary = "Keeps a share of all traces, whole, and of log records.",
       .in = pipeline::kTraces | pipeline::kLogs,
       .out = pipeline::kTraces | pipeline::kLogs,
       .placement = pipeline::Placement::Replicated,
       .stability = "beta"},
      kFields.table());
}
