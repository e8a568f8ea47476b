// SPDX-License-Identifier: Apache-2.0
// The currency of a pipeline: OTLP bytes with an acknowledgement. Each chunk is the body of an
// Export<Signal>ServiceRequest, immutable and shared, so that fanning out copies pointers. Because
// two such bodies one after the other are again a valid one, joining batches joins their lists.
// A batch is no tree of objects: read it with trace_view.h and its kin, change it with
// edit.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "data/ack.h"

namespace sonde {

enum class Signal : uint8_t { Traces, Metrics, Logs };

constexpr std::string_view to_string(Signal signal) {
  switch (signal) {
    case Signal::Traces:
      return "traces";
    case Signal::Metrics:
      return "metrics";
    case Signal::Logs:
      return "logs";
  }
  return "unknown";
}

struct Batch {
  Signal signal = Signal::Traces;
  std::vector<Bytes> chunks;
  Ack ack;

  Batch() = default;
  Batch(Signal of, std::vector<Bytes> body, Ack token = {})
      : signal(of), chunks(std::move(body)), ack(std::move(token)) {}
  Batch(Batch&&) noexcept = default;
  Batch& operator=(Batch&&) noexcept = default;

  bool empty() const { return bytes() == 0; }
  size_t bytes() const {
    size_t total = 0;
    for (const Bytes& chunk : chunks) total += chunk.size();
    return total;
  }
  // The same bytes for another branch, with a part of the acknowledgement.
  Batch share() { return {signal, chunks, ack.split()}; }
};

// How many spans, metric points or log records a batch holds; a chunk that does not parse counts
// nothing. count.h says where the bytes are at fault.
size_t count_records(Signal signal, std::string_view chunk);
size_t count_records(const Batch& batch);

}  // namespace sonde
