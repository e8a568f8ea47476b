// SPDX-License-Identifier: Apache-2.0
#include "pipeline/introspection/own_telemetry.h"

#include <iterator>

#include "base/buffer.h"
#include "base/log.h"
#include "base/memory_ledger.h"

namespace sonde::pipeline {

std::string_view record_word(Signal signal) {
  return signal == Signal::Traces    ? "spans"
         : signal == Signal::Metrics ? "metric_points"
         : signal == Signal::Logs    ? "log_records"
                                     : "profile_samples";
}

Counter& exporter_counter(std::string_view prefix, Signal signal, std::string_view id) {
  return counter(std::string(prefix) + std::string(record_word(signal)),
                 "Records by what the exporter did with them.", {{"exporter", std::string(id)}});
}

Counter& receiver_counter(std::string_view prefix, Signal signal, std::string_view id,
                          std::string_view transport) {
  return counter(std::string(prefix) + std::string(record_word(signal)),
                 "Records by what the receiver did with them.",
                 {{"receiver", std::string(id)}, {"transport", std::string(transport)}});
}

OpaqueCounter opaque_receiver_counter(std::string_view id, std::string_view transport,
                                      Signal signal, bool accepted) {
  const CounterLabels labels = {{"receiver", std::string(id)},
                                {"transport", std::string(transport)},
                                {"signal", std::string(to_string(signal))}};
  const std::string name = accepted ? "sonde_receiver_accepted_" : "sonde_receiver_refused_";
  return {&counter(name + "requests_total", "Requests that were not looked into.", labels),
          &counter(name + "bytes_total",
                   "Bytes of requests that were not looked into, as they came.", labels)};
}

OpaqueCounter opaque_exporter_counter(std::string_view id, Signal signal,
                                      std::string_view outcome) {
  const CounterLabels labels = {{"exporter", std::string(id)},
                                {"signal", std::string(to_string(signal))},
                                {"outcome", std::string(outcome)}};
  return {&counter("sonde_exporter_opaque_requests_total",
                   "Requests that were not looked into, by what became of them.", labels),
          &counter("sonde_exporter_opaque_bytes_total",
                   "Bytes of requests that were not looked into, by what became of them.", labels)};
}

Counter& dropped_counter(std::string_view id, Signal signal, std::string_view reason) {
  return counter("sonde_dropped_records_total", "Records that went no further, and why.",
                 {{"component", std::string(id)},
                  {"signal", std::string(to_string(signal))},
                  {"reason", std::string(reason)}});
}

void count_changed_values(std::string_view id, Signal signal, uint64_t folded, uint64_t damaged) {
  const auto count = [&](std::string_view how, uint64_t values) {
    if (values == 0) return;
    counter("sonde_exporter_changed_values_total",
            "Values that a format cannot hold as they came, by what was made of them.",
            {{"exporter", std::string(id)},
             {"data_type", std::string(to_string(signal))},
             {"how", std::string(how)}})
        .add(values);
  };
  count("folded", folded);
  count("damaged", damaged);
}

void apply_log_level(std::string_view level) {
  constexpr std::string_view kLevels[] = {"debug", "info", "warn", "error"};
  for (size_t i = 0; i < std::size(kLevels); i++) {
    if (level == kLevels[i]) set_log_level(static_cast<LogLevel>(i));
  }
}

Gauge& holder_gauge(std::string_view kind, std::string_view id, std::string_view signal) {
  return gauge("sonde_memory_holder_bytes",
               "Bytes of telemetry by who keeps them; shared ones twice.",
               {{"kind", std::string(kind)},
                {"component", std::string(id)},
                {"signal", std::string(signal)}});
}

void show_memory() {
  const auto show = [](std::string kind, size_t (*read)()) {
    sampled_gauge("sonde_memory_bytes", "The memory ledger of the process.",
                  {{"kind", std::move(kind)}}, [read] { return static_cast<double>(read()); });
  };
  show("limit", [] { return MemoryLedger::process().limit(); });
  show("budget", [] { return MemoryLedger::process().budget(); });
  show("held", [] { return MemoryLedger::process().held(); });
  show("promised", [] { return MemoryLedger::process().promised(); });
  show("idle", [] { return buffer_use().idle; });
}

void count_accepted(std::string_view id, std::string_view transport, const Batch& batch) {
  receiver_counter("otelcol_receiver_accepted_", batch.signal, id, transport).add(batch.items());
}

void count_refused(std::string_view id, std::string_view transport, Signal signal,
                   uint64_t records) {
  receiver_counter("otelcol_receiver_refused_", signal, id, transport).add(records);
}

}  // namespace sonde::pipeline
