// SPDX-License-Identifier: Apache-2.0
//
// The connector `failover`: sends data to the first level of pipelines that takes it. A batch that
// a level fails is tried at the next at once, and later ones start there; from time to time one
// batch probes a better level. It keeps the bytes of a batch until a level took it, and its sender
// waits as long, so nothing is lost in between.
#include <algorithm>

#include "base/log.h"
#include "pipeline/component.h"

namespace sonde {
namespace {

struct Config {
  std::vector<std::vector<std::string>> priority_levels;
  Duration retry_interval = std::chrono::minutes(10);
  Duration retry_gap = std::chrono::seconds(30);
  uint32_t max_retries = 10;

  Result<> validate() const {
    if (priority_levels.empty())
      return fail(ErrorKind::Invalid, "priority_levels: give at least one");
    if (std::ranges::any_of(priority_levels, &std::vector<std::string>::empty))
      return fail(ErrorKind::Invalid, "priority_levels: a level has no pipeline");
    if (retry_gap >= retry_interval)
      return fail(ErrorKind::Invalid, "retry_gap: it must be less than retry_interval");
    return {};
  }
};

constexpr auto kFields = config::fields<Config>(
    config::field("priority_levels", &Config::priority_levels,
                  "Lists of pipelines, the best first. All of a level get the data."),
    config::field("retry_interval", &Config::retry_interval, "How often better levels are probed.",
                  {.min = 0.001}),
    config::field("retry_gap", &Config::retry_gap, "How long between two levels that are probed.",
                  {.min = 0.001}),
    config::field("max_retries", &Config::max_retries,
                  "How often a level is probed before it is given up; 0: for ever."));

// Outlives the connector while batches are on their way.
class Levels : public std::enable_shared_from_this<Levels> {
 public:
  Levels(const Config& config, std::string_view id) : config_(config), id_(id) {}

  void start(Scheduler& scheduler, std::vector<std::vector<Sink*>> levels) {
    scheduler_ = &scheduler;
    levels_ = std::move(levels);
    retries_.assign(levels_.size(), 0);
  }
  void stop() {
    stopped_ = true;
    if (scheduler_) scheduler_->cancel(timer_);
    timer_ = 0;
  }
  bool drained() const { return under_way_ == 0; }

  void consume(Batch batch) {
    if (levels_.empty()) return batch.ack.drop("nobody_wants_it");
    if (const auto probe = std::exchange(probe_, std::nullopt); probe && *probe < current_)
      return attempt(std::move(batch), *probe, true);
    attempt(std::move(batch), current_);
  }

 private:
  void attempt(Batch batch, size_t level, bool is_probe = false) {
    if (level >= levels_.size() || stopped_) {
      return batch.ack.fail({ErrorKind::Unavailable,
                             id_ + (stopped_ ? ": shutting down" : ": every level failed"),
                             {}});
    }
    ++under_way_;
    Batch copy(batch.signal, batch.chunks);
    copy.context = batch.context;
    copy.original = batch.original;
    copy.set_items(batch.items());
    copy.ack = Ack::make(scheduler_, [self = shared_from_this(), level, is_probe,
                                      kept = std::move(batch)](Outcome outcome) mutable {
      self->done(std::move(kept), level, is_probe, std::move(outcome));
    });
    pipeline::send_to_all(levels_[level], std::move(copy));
  }

  void done(Batch batch, size_t level, bool is_probe, Outcome outcome) {
    --under_way_;
    // What a level took in part it has taken: elsewhere that part would be there twice.
    if (outcome.kind != Outcome::Failed || outcome.rejected > 0) {
      if (level < current_) {
        log_info("{}: level {} takes data again", id_, level);
        current_ = level;
        retries_[level] = 0;
      }
      return batch.ack.end(std::move(outcome));
    }
    // Whatever else was under way when the level failed tells nothing of it since.
    if (level < current_) {
      if (is_probe) ++retries_[level];
    } else if (level == current_) {
      log_warn("{}: level {} failed: {}", id_, level, outcome.error.message);
      ++current_;
      if (timer_ == 0) wait(config_.retry_interval, 0);
    }
    // The one that is good now; where it failed while this was under way, the next.
    attempt(std::move(batch), current_);
  }

  void wait(Duration duration, size_t next) {
    if (stopped_) return;
    timer_ = scheduler_->after(duration, [self = shared_from_this(), next] { self->probe(next); });
  }

  // Lets the next batch try the first level from `from` on that has not been given up.
  void probe(size_t from) {
    timer_ = 0;
    // Where no level is left that takes data, none is given up for good.
    const auto given_up = [&](size_t level) {
      return config_.max_retries != 0 && retries_[level] >= config_.max_retries;
    };
    bool all = current_ >= levels_.size();
    for (size_t level = 0; level < levels_.size(); ++level) all = all && given_up(level);
    if (all) std::ranges::fill(retries_, 0);
    const auto alive = [&](size_t level) { return !given_up(level); };
    for (size_t level = from; level < std::min(current_, levels_.size()); ++level) {
      if (!alive(level)) continue;
      probe_ = level;
      return wait(config_.retry_gap, level + 1);
    }
    for (size_t level = 0; level < std::min(current_, levels_.size()); ++level)
      if (alive(level)) return wait(config_.retry_interval, 0);
    if (current_ >= levels_.size()) wait(config_.retry_interval, 0);
  }

  const Config config_;
  const std::string id_;
  Scheduler* scheduler_ = nullptr;
  std::vector<std::vector<Sink*>> levels_;
  std::vector<uint32_t> retries_;
  size_t current_ = 0;
  std::optional<size_t> probe_;
  TimerId timer_ = 0;
  size_t under_way_ = 0;
  bool stopped_ = false;
};

class FailoverConnector final : public pipeline::Component {
 public:
  FailoverConnector(const Config& config, std::string_view id, pipeline::Outputs outputs)
      : config_(config),
        outputs_(std::move(outputs)),
        levels_(std::make_shared<Levels>(config, id)) {}
  ~FailoverConnector() override { FailoverConnector::stop(); }

  Result<> check_outputs() const override {
    (void)TRY(find());
    return {};
  }
  Result<> start(pipeline::Host& host) override {
    levels_->start(host.scheduler(), TRY(find()));
    return {};
  }
  void stop() override { levels_->stop(); }
  bool drained() const override { return levels_->drained(); }
  void consume(Batch batch) override { levels_->consume(std::move(batch)); }

 private:
  Result<std::vector<std::vector<Sink*>>> find() const {
    std::vector<std::vector<Sink*>> out;
    for (size_t i = 0; i < config_.priority_levels.size(); ++i) {
      auto sinks = outputs_.sinks(config_.priority_levels[i]);
      if (!sinks) {
        return std::unexpected(
            at("priority_levels::" + std::to_string(i), std::move(sinks.error())));
      }
      out.push_back(std::move(*sinks));
    }
    return out;
  }

  const Config config_;
  const pipeline::Outputs outputs_;
  const std::shared_ptr<Levels> levels_;
};

}  // namespace
}  // namespace sonde

SONDE_COMPONENT(connector, failover) {
  using namespace sonde;
  return pipeline::make_type<FailoverConnector, Config>(
      {.kind = pipeline::Kind::Connector,
       .name = "failover",
       .summary = "Sends data to the first pipelines that take it.",
       .in = pipeline::kStableSignals,
       .out = pipeline::kStableSignals,
       .same_signal = true,
       .stability = "alpha"},
      kFields.table());
}
