// SPDX-License-Identifier: Apache-2.0
//
// The processor `memory_limiter`: refuses data, with an error that senders retry, while the process
// holds more than its soft limit. Memory is measured on a timer, and between two measurements the
// bytes in message buffers are added, so that a burst is refused within itself and not after the
// next tick. Idle buffers are given back before anything is refused for longer.
#include "base/buffer.h"
#include "base/counters.h"
#include "base/log.h"
#include "base/repeating_timer.h"
#include "base/system_memory.h"
#include "components/processor/memory_limiter/limits.h"
#include "pipeline/component.h"
#include "pipeline/introspection/own_telemetry.h"

namespace sonde {
namespace {

using memory_limiter::Limits;

struct Config {
  Duration check_interval{};
  memory_limiter::Settings limits;
  Duration min_gc_interval_when_soft_limited = std::chrono::seconds(10);
  Duration min_gc_interval_when_hard_limited{};

  Result<> validate() const {
    if (check_interval <= Duration::zero())
      return fail(ErrorKind::Invalid, "check_interval: it must be more than 0");
    if (min_gc_interval_when_soft_limited < min_gc_interval_when_hard_limited)
      return fail(ErrorKind::Invalid,
                  "min_gc_interval_when_soft_limited: it must not be less than "
                  "min_gc_interval_when_hard_limited");
    constexpr uint64_t kAny = uint64_t{1} << 40;
    (void)TRY(memory_limiter::limits_of(limits, kAny));
    return {};
  }
};

using memory_limiter::Settings;
constexpr auto kLimitFields = config::fields<Settings>(
    config::field("limit_mib", &Settings::limit_mib, "The most memory that may be used.",
                  {.max = 4294967295.0, .unit = "MiBy"}),
    config::field("spike_limit_mib", &Settings::spike_limit_mib,
                  "How far below that data is refused; a fifth where it is 0.",
                  {.max = 4294967295.0, .unit = "MiBy"}),
    config::field("limit_percentage", &Settings::limit_percentage,
                  "The same as a share of what the machine or the container has.",
                  {.min = 0, .max = 100, .unit = "%"}),
    config::field("spike_limit_percentage", &Settings::spike_limit_percentage,
                  "The same as a share of what the machine or the container has.",
                  {.min = 0, .max = 100, .unit = "%"}));
constexpr auto kFields = config::fields<Config>(
    config::field("check_interval", &Config::check_interval, "How often memory is measured.",
                  {.required = true}),
    config::embed(&Config::limits, kLimitFields.table()),
    config::field("min_gc_interval_when_soft_limited", &Config::min_gc_interval_when_soft_limited,
                  "How long idle buffers are left alone above the soft limit."),
    config::field("min_gc_interval_when_hard_limited", &Config::min_gc_interval_when_hard_limited,
                  "The same above the hard limit."));

class MemoryLimiter final : public pipeline::Component {
 public:
  MemoryLimiter(const Config& config, std::string_view id, pipeline::Outputs outputs)
      : config_(config), id_(id), outputs_(outputs) {}

  Result<> start(pipeline::Host& host) override {
    uint64_t total = 0;
    if (config_.limits.limit_mib == 0) total = TRY(total_memory());
    limits_ = TRY(memory_limiter::limits_of(config_.limits, total));
    log_info("{}: refuses data above {} MiB, of at most {} MiB", id_, limits_.soft >> 20,
             limits_.hard >> 20);
    scheduler_ = &host.scheduler();
    measure();
    timer_.start(*scheduler_, config_.check_interval, [this] { measure(); });
    return {};
  }

  void stop() override { timer_.stop(); }

  void gates(Signal signal, Gates& out) override { outputs_.gates(signal, out); }
  void consume(Batch batch) override {
    const Signal signal = batch.signal;
    const size_t items = batch.items();
    const size_t buffers = buffer_use().used;
    // Buffers that were in use at the last measurement are part of it already.
    const uint64_t grown = buffers > buffers_then_ ? buffers - buffers_then_ : 0;
    if (measured_ + grown > limits_.soft) {
      count("otelcol_processor_refused_", signal).add(items);
      return batch.ack.fail({ErrorKind::Exhausted,
                             id_ + ": data refused, the memory in use is above the soft limit",
                             config_.check_interval});
    }
    count("otelcol_processor_accepted_", signal).add(items);
    outputs_.send(std::move(batch));
  }
  bool looks_inside() const override { return outputs_.look_inside(); }

 private:
  Counter& count(std::string_view prefix, Signal signal) {
    Counter*& slot = counters_[prefix == "otelcol_processor_refused_" ? 1 : 0][signal];
    if (!slot) {
      slot = &counter(std::string(prefix) + std::string(pipeline::record_word(signal)),
                      "Items that the processor took or refused.", {{"processor", id_}});
    }
    return *slot;
  }

  void measure() {
    const int64_t now = scheduler_->clock().monotonic_ns();
    read();
    const bool was_limited = limited_;
    if (measured_ > limits_.soft) {
      const Duration pause = measured_ > limits_.hard ? config_.min_gc_interval_when_hard_limited
                                                      : config_.min_gc_interval_when_soft_limited;
      if (!limited_ || now - released_ns_ >= pause.count()) {
        released_ns_ = now;
        release_idle_buffers();
        read();
      }
    }
    limited_ = measured_ > limits_.soft;
    if (limited_ && !was_limited)
      log_warn("{}: {} MiB in use, above the soft limit of {} MiB: data is refused", id_,
               measured_ >> 20, limits_.soft >> 20);
    if (!limited_ && was_limited) log_info("{}: below the soft limit again", id_);
  }

  // What idles in the pool is taken again before the process grows.
  void read() {
    const BufferUse use = buffer_use();
    const uint64_t resident = resident_memory();
    measured_ = resident > use.idle ? resident - use.idle : 0;
    buffers_then_ = use.used;
  }

  const Config config_;
  const std::string id_;
  const pipeline::Outputs outputs_;
  Limits limits_;
  Scheduler* scheduler_ = nullptr;
  RepeatingTimer timer_;
  uint64_t measured_ = 0;
  size_t buffers_then_ = 0;
  int64_t released_ns_ = 0;
  bool limited_ = false;
  BySignal<Counter*> counters_[2];
};

}  // namespace
}  // namespace sonde

SONDE_COMPONENT(processor, memory_limiter) {
  using namespace sonde;
  return pipeline::make_type<MemoryLimiter, Config>(
      {.kind = pipeline::Kind::Processor,
       .name = "memory_limiter",
       .summary = "Refuses data while the process holds too much memory.",
       .in = pipeline::kAllSignals,
       .out = pipeline::kAllSignals,
       .placement = pipeline::Placement::Replicated,
       .stability = "beta"},
      kFields.table());
}
