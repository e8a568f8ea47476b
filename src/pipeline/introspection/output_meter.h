// SPDX-License-Identifier: Apache-2.0
//
// Counts what a component gives: items and bytes, by component and signal, and by pipeline where a
// connector chooses between them; and shows it to those who watch (tap.h). It stands where an
// instance's output begins, before any fan-out, so that one count serves every edge that leaves
// there: what passed an edge is what went to all of its signal and what went to its pipeline alone.
// Bytes are Batch::bytes(): of the OTLP body, uncompressed, but for what nobody looks into.
#pragma once

#include <atomic>
#include <string>

#include "base/counters.h"
#include "data/sink.h"
#include "pipeline/introspection/tap.h"

namespace sonde::pipeline {

inline constexpr std::string_view kOutputItems = "sonde_output_items_total";
inline constexpr std::string_view kOutputBytes = "sonde_output_bytes_total";

class OutputMeter final : public Sink {
 public:
  // `component` is a key of topology.h; `pipeline` is empty where the output leads to all of the
  // signal. The sink must outlive the meter. `items_too` counts the items as well.
  OutputMeter(Sink& sink, const std::string& component, Signal signal, std::string_view pipeline,
              std::shared_ptr<TapPoint> tap, Counter* items_too = nullptr);
  void consume(Batch batch) override;
  // What follows from the next batch on. On the shard of the component.
  void retarget(Sink& sink) {
    sink_.store(&sink, std::memory_order_release);
    GateEpoch::advance();
  }
  void gates(Signal signal, Gates& out) override { next().gates(signal, out); }
  // May change with the target.
  bool looks_inside() const override { return next().looks_inside(); }

 private:
  Sink& next() const { return *sink_.load(std::memory_order_acquire); }

  // Gates are collected from other shards too (ShardDoor), also while it is retargeted.
  std::atomic<Sink*> sink_;
  Counter& items_;
  Counter& bytes_;
  Counter* const items_too_;
  const std::shared_ptr<TapPoint> tap_;
};

// Counts the items that pass. The sink must outlive it.
class ItemCounter final : public Sink {
 public:
  ItemCounter(Sink& sink, Counter& items) : sink_(sink), items_(items) {}
  void consume(Batch batch) override {
    items_.add(batch.items());
    sink_.consume(std::move(batch));
  }
  void gates(Signal signal, Gates& out) override { sink_.gates(signal, out); }
  bool looks_inside() const override { return sink_.looks_inside(); }

 private:
  Sink& sink_;
  Counter& items_;
};

// What the Collector counts of each processor: "otelcol_processor_incoming_items" and
// "otelcol_processor_outgoing_items".
Counter& processor_items(std::string_view name, std::string_view id, Signal signal);

}  // namespace sonde::pipeline
