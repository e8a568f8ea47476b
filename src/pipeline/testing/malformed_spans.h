// SPDX-License-Identifier: Apache-2.0
// A request whose framing is whole and one of whose spans is not.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "data/wire.h"
#include "pipeline/introspection/own_telemetry.h"
#include "pipeline/test_component.h"
#include "pipeline/testing/spans.h"

namespace sonde::pipeline {

// So many whole spans, one that does not parse, and whole ones again.
inline Batch spans_around_a_malformed_one(int before, int after, Ack ack = {}) {
  constexpr uint32_t kGroups = otlp::request::kGroups, kScopes = otlp::group::kScopes,
                     kRecords = otlp::scope_group::kRecords;
  std::string body(spans(before).chunks[0].view());
  proto::Writer writer(body);
  writer.nested(kGroups,
                [&] { writer.nested(kScopes, [&] { writer.bytes(kRecords, "\xff\xff"); }); });
  body += spans(after).chunks[0].view();
  return Batch(Signal::Traces, {Bytes::take(std::move(body))}, std::move(ack));
}

// Gives three spans, the malformed one and four more to a component of this id, which shall take
// the first three and refuse and count the rest.
inline void expect_the_rest_refused(TestComponent& tested, std::string_view id) {
  ASSERT_EQ(tested.error, "");
  Counter& dropped = dropped_counter(id, Signal::Traces, "malformed");
  const uint64_t before = dropped.value();
  Outcome outcome;
  tested.component->consume(spans_around_a_malformed_one(
      3, 4, Ack::make(nullptr, [&](Outcome done) { outcome = std::move(done); })));
  EXPECT_EQ(outcome.kind, Outcome::Failed);
  EXPECT_EQ(outcome.error.kind, ErrorKind::Invalid);
  EXPECT_EQ(outcome.error.peer_code, 3);  // INVALID_ARGUMENT.
  EXPECT_NE(outcome.error.message.find(std::string(id) + ": malformed OTLP"), std::string::npos)
      << outcome.error.message;
  EXPECT_EQ(dropped.value() - before, 5u);
}

}  // namespace sonde::pipeline
