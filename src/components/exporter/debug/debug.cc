// SPDX-License-Identifier: Apache-2.0
//
// The exporter `debug`: shows what passes, on standard error. `detailed` prints the text form of
// data/text.h, which scenario tests and bug reports can be pasted from. It never fails, so it says
// nothing about whether a back end would have taken the data.
#include <fmt/core.h>

#include <cstdio>

#include "components/exporter/debug/lines.h"
#include "data/text.h"
#include "pipeline/component.h"
#include "pipeline/introspection/own_telemetry.h"

namespace sonde {
namespace {

struct Config {
  std::string verbosity = "basic";
  bool use_internal_logger = true;
  int64_t sampling_initial = 2;
  int64_t sampling_thereafter = 1;
};

constexpr auto kFields = config::fields<Config>(
    config::field(
        "verbosity", &Config::verbosity,
        "How much is printed: a line a batch, a line a record beside it, or all of it as text.",
        {.choices = "basic|normal|detailed", .any_case = true, .null_is_absent = true}),
    config::field("use_internal_logger", &Config::use_internal_logger,
                  "Accepted for the Collector's sake; output always goes to standard error."),
    config::field("sampling_initial", &Config::sampling_initial,
                  "Accepted for the Collector's sake; every batch is printed."),
    config::field("sampling_thereafter", &Config::sampling_thereafter,
                  "Accepted for the Collector's sake; every batch is printed."));

class DebugExporter final : public pipeline::Component {
 public:
  DebugExporter(Config config, std::string_view id, pipeline::Outputs)
      : config_(std::move(config)), id_(id) {}

  void consume(Batch batch) override {
    const size_t records = batch.items();
    std::string out = fmt::format("{}: {}: {} {}, {} bytes\n", id_, to_string(batch.signal),
                                  records, pipeline::record_word(batch.signal), batch.bytes());
    if (config_.verbosity == "normal") out += debug::lines_of(batch);
    if (config_.verbosity == "detailed") out += to_text(batch);
    // One write, so that lines of other threads do not fall in between.
    std::fwrite(out.data(), 1, out.size(), stderr);
    pipeline::exporter_counter("otelcol_exporter_sent_", batch.signal, id_).add(records);
    batch.ack.deliver();
  }

 private:
  const Config config_;
  const std::string id_;
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
