// SPDX-License-Identifier: Apache-2.0
#include "pipeline/introspection/own_telemetry.h"
#include "pipeline/test_component.h"
#include "pipeline/testing/malformed_spans.h"

const sonde::pipeline::ComponentType& sonde_component_connector_span_metrics();

namespace sonde {
namespace {

using pipeline::TestComponent;

TEST(SpanMetrics, RefusesAndTellsWhatItCannotCount) {
  TestComponent connector(sonde_component_connector_span_metrics(), "{}");
  ASSERT_EQ(connector.error, "");
  Counter& dropped = pipeline::dropped_counter("span_metrics", Signal::Traces, "malformed");
  const uint64_t before = dropped.value();
  Outcome outcome;
  connector.component->consume(pipeline::spans_around_a_malformed_one(
      3, 4, Ack::make(nullptr, [&](Outcome done) { outcome = std::move(done); })));
  EXPECT_EQ(outcome.kind, Outcome::Failed);
  EXPECT_EQ(outcome.error.kind, ErrorKind::Invalid);
  EXPECT_EQ(outcome.error.peer_code, 3);  // INVALID_ARGUMENT.
  EXPECT_NE(outcome.error.message.find("span_metrics: malformed OTLP"), std::string::npos)
      << outcome.error.message;
  connector.component->stop();
  EXPECT_NE(connector.take().find("value: 3\n"), std::string::npos);
  EXPECT_EQ(dropped.value() - before, 5u);
}

}  // namespace
}  // namespace sonde
