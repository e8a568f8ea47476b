// SPDX-License-Identifier: Apache-2.0
#include "pipeline/introspection/output_meter.h"

namespace sonde::pipeline {
namespace {

Counter& of(std::string_view name, std::string_view help, const std::string& component,
            Signal signal, std::string_view pipeline) {
  CounterLabels labels{{"component", component}, {"signal", std::string(to_string(signal))}};
  if (!pipeline.empty()) labels.emplace_back("pipeline", pipeline);
  return counter(name, help, labels);
}

}  // namespace

OutputMeter::OutputMeter(Sink& sink, const std::string& component, Signal signal,
                         std::string_view pipeline, std::shared_ptr<TapPoint> tap,
                         Counter* items_too)
    : sink_(&sink),
      items_(of(kOutputItems, "Records that a component gave to what follows it.", component,
                signal, pipeline)),
      bytes_(of(kOutputBytes, "Bytes that a component gave to what follows it.", component, signal,
                pipeline)),
      items_too_(items_too),
      tap_(std::move(tap)) {}

void OutputMeter::consume(Batch batch) {
  items_.add(batch.items());
  if (items_too_) items_too_->add(batch.items());
  bytes_.add(batch.bytes());
  tap_->pass(batch);
  next().consume(std::move(batch));
}

Counter& processor_items(std::string_view name, std::string_view id, Signal signal) {
  return counter(name, "Items that a processor was given, or gave.",
                 {{"processor", std::string(id)}, {"otel_signal", std::string(to_string(signal))}});
}

}  // namespace sonde::pipeline
