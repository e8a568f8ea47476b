// SPDX-License-Identifier: Apache-2.0
//
// The exporter `debug`: shows what passes, on standard error or where it is told. `detailed` prints
// the text form of data/text.h, which scenario tests and bug reports can be pasted from. It never
// fails, so it says nothing about whether a back end would have taken the data.
#include <fmt/core.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "base/log.h"
#include "components/exporter/debug/lines.h"
#include "data/text.h"
#include "pipeline/component.h"
#include "pipeline/introspection/own_telemetry.h"
#include "pipeline/queue/sending_queue.h"

namespace sonde {
namespace {

struct Config {
  std::string verbosity = "basic";
  bool use_internal_logger = true;
  std::optional<std::vector<std::string>> output_paths;
  int64_t sampling_initial = 2;
  int64_t sampling_thereafter = 1;
  std::optional<pipeline::QueueSettings> queue;

  Result<> validate() const {
    if (output_paths && use_internal_logger) {
      return fail(ErrorKind::Invalid, "output_paths goes with use_internal_logger: false only");
    }
    if (output_paths && output_paths->empty()) {
      return fail(ErrorKind::Invalid, "output_paths must not be empty; leave it out for stdout");
    }
    return queue ? pipeline::check_sending(sending()) : Result<>();
  }
  // Printing does not fail, so nothing is tried again.
  pipeline::SendingSettings sending() const {
    return {.queue = *queue, .retry = {.enabled = false}};
  }
};

constexpr auto kFields = config::fields<Config>(
    config::field(
        "verbosity", &Config::verbosity,
        "How much is printed: a line a batch, a line a record beside it, or all of it as text.",
        {.choices = "basic|normal|detailed", .any_case = true, .null_is_absent = true}),
    config::field("use_internal_logger", &Config::use_internal_logger,
                  "Whether it is printed where Sonde logs: on standard error."),
    config::field("output_paths", &Config::output_paths,
                  "Otherwise: stdout (where it is not given), stderr, or files that are appended "
                  "to."),
    config::field("sampling_initial", &Config::sampling_initial,
                  "Accepted for the Collector's sake; every batch is printed."),
    config::field("sampling_thereafter", &Config::sampling_thereafter,
                  "Accepted for the Collector's sake; every batch is printed."),
    config::field("sending_queue", &Config::queue, pipeline::kQueueFields.table(),
                  "Where batches wait; without one a sender waits until they are printed."));

class DebugExporter final : public pipeline::Component {
 public:
  DebugExporter(Config config, std::string_view id, pipeline::Outputs)
      : config_(std::move(config)), id_(id) {}

  Result<> start(pipeline::Host& host) override {
    if (!config_.use_internal_logger) {
      TRY(open(config_.output_paths.value_or(std::vector<std::string>{"stdout"})));
    }
    if (!config_.queue) return {};
    queue_ = std::make_unique<pipeline::SendingQueue>(
        host.scheduler(), host.id(), config_.sending(),
        [this](const Batch& batch, pipeline::SendDone done) {
          print(batch);
          done(pipeline::Sent{});
        });
    auto* const old = dynamic_cast<DebugExporter*>(host.predecessor());
    return queue_->restore(host, old ? old->queue_.get() : nullptr);
  }
  void take_over(Component&) override {
    if (queue_) queue_->take_over();
  }
  void stop() override {
    if (queue_) queue_->stop();
  }
  bool drained() const override { return !queue_ || queue_->drained(); }
  void gates(Signal signal, Gates& out) override {
    if (queue_) queue_->gates(signal, out);
  }

  void consume(Batch batch) override {
    if (queue_) return queue_->consume(std::move(batch));
    print(batch);
    pipeline::exporter_counter("otelcol_exporter_sent_", batch.signal, id_).add(batch.items());
    batch.ack.deliver();
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  Result<> open(const std::vector<std::string>& paths) {
    outputs_.clear();
    for (const std::string& path : paths) {
      if (path == "stdout" || path == "stderr") {
        outputs_.push_back(path == "stdout" ? stdout : stderr);
        continue;
      }
      const bool url = path.starts_with("file://");
      std::FILE* const file = std::fopen(path.c_str() + (url ? 7 : 0), "ae");
      if (!file) {
        return fail(ErrorKind::Denied, fmt::format("output_paths: cannot open {}: {}", path,
                                                   std::generic_category().message(errno)));
      }
      files_.emplace_back(file);
      outputs_.push_back(file);
    }
    return {};
  }

  void print(const Batch& batch) {
    std::string out =
        fmt::format("{}: {}: {} {}, {} bytes\n", id_, to_string(batch.signal), batch.items(),
                    pipeline::record_word(batch.signal), batch.bytes());
    if (config_.verbosity == "normal") out += debug::lines_of(batch);
    if (config_.verbosity == "detailed") out += to_text(batch);
    // One write, so that lines of other threads do not fall in between.
    for (std::FILE* const output : outputs_) {
      const bool written =
          std::fwrite(out.data(), 1, out.size(), output) == out.size() && std::fflush(output) == 0;
      if (!written && !std::exchange(cannot_write_, true)) {
        log_warn("{}: what passes cannot be printed: {}", id_,
                 std::generic_category().message(errno));
      }
    }
  }

  const Config config_;
  const std::string id_;
  std::vector<std::unique_ptr<std::FILE, Close>> files_;
  std::vector<std::FILE*> outputs_ = {stderr};
  bool cannot_write_ = false;  // That was said.
  std::unique_ptr<pipeline::SendingQueue> queue_;
};

}  // namespace
}  // namespace sonde

SONDE_COMPONENT(exporter, debug) {
  using namespace sonde;
  return pipeline::make_type<DebugExporter, Config>(
      {.kind = pipeline::Kind::Exporter,
       .name = "debug",
       .aliases = {"logging"},
       .summary = "Prints what passes, as counts or as text.",
       .in = pipeline::kAllSignals,
       .stability = "beta"},
      kFields.table());
}
