// SPDX-License-Identifier: Apache-2.0
// For tests of exporters that talk over sockets.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "net/testing/run_until.h"
#include "pipeline/testing/loop_host.h"

namespace sonde::pipeline {

// Gives an exporter a batch and serves the host's loop until the sender is told what became of it
// and the exporter holds nothing more; an exporter that is not done within ten seconds fails the
// test.
inline Outcome send_and_wait(LoopHost& host, Component& exporter, Batch batch) {
  // Whoever is told later than that still has a place for it.
  const auto outcome = std::make_shared<std::optional<Outcome>>();
  batch.ack = Ack::make(nullptr, [outcome](Outcome ended) { *outcome = std::move(ended); });
  exporter.consume(std::move(batch));
  EXPECT_TRUE(net::run_until(
      host.loop(), [&] { return outcome->has_value() && exporter.drained(); },
      std::chrono::seconds(10)))
      << "the exporter is not done with what it was given";
  return outcome->value_or(Outcome{Outcome::Failed, "nobody was told"});
}

}  // namespace sonde::pipeline
