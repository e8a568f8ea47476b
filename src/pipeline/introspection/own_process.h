// SPDX-License-Identifier: Apache-2.0
// What the process takes of the machine, under the names that the Collector's dashboards read:
// otelcol_process_uptime, otelcol_process_cpu_seconds, otelcol_process_memory_rss (seconds,
// seconds, bytes) and what the allocator holds, as otelcol_process_runtime_heap_alloc_bytes.
#pragma once

namespace sonde::pipeline {

// Reads /proc and sets the gauges. For whoever is about to show them; thread safe.
void refresh_process_gauges();

}  // namespace sonde::pipeline
