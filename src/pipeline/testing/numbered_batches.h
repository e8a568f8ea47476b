// SPDX-License-Identifier: Apache-2.0
// Numbered requests for a ledger over an exporter and a back end that fails by chance: what became
// of each for its sender is compared with what the back end did with it.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>

#include "data/span_writer.h"
#include "net/testing/run_until.h"
#include "pipeline/testing/loop_host.h"

namespace sonde::pipeline {

inline Batch numbered_batch(int number, size_t padding) {
  TraceBatchBuilder builder;
  builder.resource({}).scope("test", "");
  const std::string name = "number=" + std::to_string(number) + ";";
  const std::string filler(padding, 'x');
  builder.span({.name = name}, {{"filler", std::string_view(filler)}});
  return builder.build();
}

// The number in a request as it came over the wire, uncompressed; -1 where there is none.
inline int number_in(std::string_view body) {
  const size_t at = body.find("number=");
  return at == std::string_view::npos ? -1
                                      : std::atoi(std::string(body.substr(at + 7, 10)).c_str());
}

// Settings of such an exporter: it holds up to 2,000 requests, tries each again soon and for ever,
// and tells the sender what came of it.
inline constexpr std::string_view kNumberedBatchSettings =
    "compression: none, "
    "sending_queue: {queue_size: 2000, num_consumers: 16, wait_for_result: true}, "
    "retry_on_failure: {initial_interval: 1ms, max_interval: 5ms, max_elapsed_time: 0s}";

// Gives the exporter requests of many sizes, up to 300 kB, and says what each sender was told:
// of those that were told something within a minute.
inline std::map<int, Outcome::Kind> send_numbered(LoopHost& host, Component& exporter, int count) {
  // Whoever is told something after that still has a place for it.
  const auto outcomes = std::make_shared<std::map<int, Outcome::Kind>>();
  std::mt19937 sizes(1);
  for (int number = 0; number < count; ++number) {
    Batch batch = numbered_batch(number, sizes() % 8 == 0 ? sizes() % 300'000 : sizes() % 2000);
    batch.ack = Ack::make(&host.scheduler(), [outcomes, number](const Outcome& outcome) {
      EXPECT_TRUE(outcomes->emplace(number, outcome.kind).second) << "told twice";
    });
    exporter.consume(std::move(batch));
  }
  net::run_until(
      host.loop(), [&] { return outcomes->size() == static_cast<size_t>(count); },
      std::chrono::minutes(1));
  return *outcomes;
}

}  // namespace sonde::pipeline
