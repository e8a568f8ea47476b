// SPDX-License-Identifier: Apache-2.0
// The currency of a pipeline: OTLP bytes with an acknowledgement. Each chunk is the body of an
// Export<Signal>ServiceRequest, immutable and shared, so that fanning out copies pointers. Because
// two such bodies one after the other are again a valid one, joining batches joins their lists
// (can_be_joined()).
// A batch is no tree of objects: read it with trace_view.h and its kin, change it with
// edit.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "data/ack.h"

namespace sonde {

enum class Signal : uint8_t { Traces, Metrics, Logs, Profiles };
inline constexpr std::array kSignals{Signal::Traces, Signal::Metrics, Signal::Logs,
                                     Signal::Profiles};

constexpr std::string_view to_string(Signal signal) {
  switch (signal) {
    case Signal::Traces:
      return "traces";
    case Signal::Metrics:
      return "metrics";
    case Signal::Logs:
      return "logs";
    case Signal::Profiles:
      return "profiles";
  }
  return "unknown";
}

// Two requests one after the other are one, but for profiles: what they hold points by its place
// into one dictionary of the whole request.
constexpr bool can_be_joined(Signal signal) { return signal != Signal::Profiles; }

// The one of these that is of the signal.
template <class T>
constexpr T& of_signal(Signal signal, T& traces, T& metrics, T& logs, T& profiles) {
  T* const all[] = {&traces, &metrics, &logs, &profiles};
  return *all[static_cast<size_t>(signal)];
}

// Something for each signal.
template <class T>
class BySignal {
 public:
  T& operator[](Signal signal) { return all_[static_cast<size_t>(signal)]; }
  const T& operator[](Signal signal) const { return all_[static_cast<size_t>(signal)]; }
  auto begin() { return all_.begin(); }
  auto end() { return all_.end(); }
  auto begin() const { return all_.begin(); }
  auto end() const { return all_.end(); }

 private:
  std::array<T, kSignals.size()> all_{};
};

// What came with a request and is no telemetry. Kept only where a receiver is told to
// (`include_metadata`), for batching by it and for sending it on.
struct RequestContext {
  std::vector<std::pair<std::string, std::string>> metadata;  // Names in lower case.
  std::string peer;                                           // "address:port"
  std::vector<std::pair<std::string, std::string>> auth;      // What an authenticator found.
};

// A body as the sender compressed it.
struct Encoded {
  std::string encoding;  // "gzip", "zstd", ...
  Bytes body;
  size_t plain_size = 0;  // decompressed; 0: not known, and then at most `max_plain`
  size_t max_plain = 0;
};

struct Batch {
  Signal signal = Signal::Traces;
  std::vector<Bytes> chunks;
  Ack ack;
  std::shared_ptr<const RequestContext> context;
  // The compressed form of exactly these chunks, where nobody has changed them since it came, so
  // that it can be sent on as it is.
  std::shared_ptr<const Encoded> original;
  // The receiver was told to count requests and bytes alone: what this holds is not known, and
  // items() is 0.
  bool opaque = false;

  Batch() = default;
  Batch(Signal of, std::vector<Bytes> body, Ack token = {})
      : signal(of), chunks(std::move(body)), ack(std::move(token)) {}
  Batch(Batch&&) noexcept = default;
  Batch& operator=(Batch&&) noexcept = default;

  // There is only `original`: nothing that follows looks inside (Sink::looks_inside()).
  bool sealed() const { return original && chunks.empty(); }
  bool empty() const { return bytes() == 0; }
  // Decompressed, but for a sealed batch whose decompressed size is not known.
  size_t bytes() const {
    if (sealed()) return original->plain_size > 0 ? original->plain_size : original->body.size();
    size_t total = 0;
    for (const Bytes& chunk : chunks) total += chunk.size();
    return total;
  }
  // Spans, metric points, log records or samples of profiles. Counted once: the chunks are not
  // changed after that.
  size_t items() const;
  void set_items(size_t known) { items_ = known; }

  // The same bytes for another branch, with a part of the acknowledgement.
  Batch share() {
    Batch other(signal, chunks, ack.split());
    other.context = context;
    other.original = original;
    other.opaque = opaque;
    other.items_ = items_;
    return other;
  }
  // Other bytes in place of these, for the same request: what a processor passes on.
  Batch with(std::vector<Bytes> body) && {
    Batch other(signal, std::move(body), std::move(ack));
    other.context = std::move(context);
    return other;
  }

 private:
  mutable std::optional<size_t> items_;
};

// How many spans, metric points or log records a batch holds; a chunk that does not parse counts
// nothing. count.h says where the bytes are at fault.
size_t count_records(Signal signal, std::string_view chunk);
size_t count_records(const Batch& batch);

}  // namespace sonde
