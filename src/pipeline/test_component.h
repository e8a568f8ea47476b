// SPDX-License-Identifier: Apache-2.0
//
// Runs one component in a test as the engine would: settings as YAML, data in the text form of a
// batch. What it gives is collected by signal, and by pipeline for connectors.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "config/yaml.h"
#include "data/text.h"
#include "pipeline/test_host.h"

namespace sonde::pipeline {

class TestComponent {
 public:
  // `before` is what it is to replace: see Host::predecessor().
  TestComponent(const ComponentType& type, std::string_view settings, Component* before = nullptr) {
    host.before = before;
    auto made = make(type, settings, {&sink, &sink, &sink});
    if (!made) {
      error = made.error().message;
      return;
    }
    component = std::move(*made);
    if (auto checked = component->check_outputs(); !checked) {
      error = checked.error().message;
      return;
    }
    if (auto started = component->start(host); !started) error = started.error().message;
  }

  // What came out since the last call; the outcome of this batch lies in `outcome`.
  std::string give(std::string_view text, std::shared_ptr<const RequestContext> context = nullptr) {
    auto batch = from_text(text);
    EXPECT_TRUE(batch) << batch.error().message;
    batch->context = std::move(context);
    batch->ack = Ack::make(nullptr, [this](Outcome done) { outcome = std::move(done); });
    component->consume(std::move(*batch));
    return take();
  }
  std::string take() {
    std::string out;
    for (const Batch& batch : sink.batches) out += to_text(batch);
    sink.batches.clear();
    return out;
  }

  static Result<std::unique_ptr<Component>> make(const ComponentType& type,
                                                 std::string_view settings, Outputs outputs) {
    const config::Value value = TRY(config::parse_yaml(settings, "test.yaml"));
    return type.create(value, type.name, std::move(outputs));
  }

  TestHost host;
  CollectingSink sink;
  std::unique_ptr<Component> component;
  Outcome outcome{.kind = Outcome::Failed, .reason = {}, .error = {}};
  std::string error;
};

}  // namespace sonde::pipeline
