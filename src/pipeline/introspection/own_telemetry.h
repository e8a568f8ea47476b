// SPDX-License-Identifier: Apache-2.0
//
// Names of the counters that components and the engine keep about the data that passes, spelled as
// the Collector spells them, so that its dashboards work: the signal is the end of the name.
#pragma once

#include <string>
#include <string_view>

#include "base/counters.h"
#include "data/batch.h"

namespace sonde::pipeline {

// "spans", "metric_points" or "log_records".
std::string_view record_word(Signal signal);

// `prefix` is for example "otelcol_exporter_sent_".
Counter& exporter_counter(std::string_view prefix, Signal signal, std::string_view id);
Counter& receiver_counter(std::string_view prefix, Signal signal, std::string_view id,
                          std::string_view transport);
// Requests that nobody looks into, and their bytes as they came, in place of items.
struct OpaqueCounter {
  Counter* requests = nullptr;
  Counter* bytes = nullptr;
  void add(uint64_t size) const {
    requests->add(1);
    bytes->add(size);
  }
};
// sonde_receiver_accepted_requests_total and ..._bytes_total, or with refused.
OpaqueCounter opaque_receiver_counter(std::string_view id, std::string_view transport,
                                      Signal signal, bool accepted);
// sonde_exporter_opaque_requests_total and ..._bytes_total, by what became of a request: "sent", or
// the reason why it was dropped.
OpaqueCounter opaque_exporter_counter(std::string_view id, Signal signal, std::string_view outcome);
// sonde_dropped_records_total: what did not reach a peer, and why.
Counter& dropped_counter(std::string_view id, Signal signal, std::string_view reason);

// sonde_exporter_changed_values_total: what the format of an exporter cannot hold as it came:
// nested too deep and written as bytes, or damaged and written as far as it could be read.
void count_changed_values(std::string_view id, Signal signal, uint64_t folded, uint64_t damaged);

// Of service::telemetry::logs: "debug", "info", "warn" or "error".
void apply_log_level(std::string_view level);

// sonde_memory_holder_bytes: what `kind` ("reading", "queue", "batch") of holder keeps in memory.
// Branches share bytes, so the sum may be more than what the ledger holds.
Gauge& holder_gauge(std::string_view kind, std::string_view id, std::string_view signal);
// The figures of the memory ledger, as gauges.
void show_memory();

// What a receiver calls for a batch it passes on.
void count_accepted(std::string_view id, std::string_view transport, const Batch& batch);
void count_refused(std::string_view id, std::string_view transport, Signal signal,
                   uint64_t records);

}  // namespace sonde::pipeline
