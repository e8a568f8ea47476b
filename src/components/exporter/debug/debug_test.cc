// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <optional>

#include "base/testing/temporary_directory.h"
#include "data/metric_writer.h"
#include "data/span_writer.h"
#include "pipeline/test_component.h"
#include "pipeline/test_host.h"

const sonde::pipeline::ComponentType& sonde_component_exporter_debug();

namespace sonde {
namespace {

TEST(Debug, PrintsTheTextFormAndAcknowledges) {
  config::Value settings = config::Value::map();
  settings.set("verbosity", config::Value::string("detailed"));
  auto exporter = sonde_component_exporter_debug().create(settings, "debug", {});
  ASSERT_TRUE(exporter) << exporter.error().message;
  TraceBatchBuilder builder;
  builder.span({.trace_id = "0123456789abcdef", .span_id = "01234567", .name = "GET /cart"});
  bool delivered = false;
  testing::internal::CaptureStderr();
  (*exporter)->consume(builder.build(
      Ack::make(nullptr, [&](Outcome o) { delivered = o.kind == Outcome::Delivered; })));
  const std::string out = testing::internal::GetCapturedStderr();
  EXPECT_NE(out.find("debug: traces: 1 spans"), std::string::npos) << out;
  EXPECT_NE(out.find("name: \"GET /cart\""), std::string::npos) << out;
  EXPECT_TRUE(delivered);
}

std::string printed(const std::string& verbosity, Batch batch) {
  config::Value settings = config::Value::map();
  settings.set("verbosity", config::Value::string(verbosity));
  auto exporter = sonde_component_exporter_debug().create(settings, "debug", {});
  EXPECT_TRUE(exporter) << exporter.error().message;
  testing::internal::CaptureStderr();
  (*exporter)->consume(std::move(batch));
  return testing::internal::GetCapturedStderr();
}

TEST(Debug, PrintsALineForEachRecordWhenItIsNormal) {
  TraceBatchBuilder spans;
  spans.span({.trace_id = "0123456789abcdef", .span_id = "01234567", .name = "GET /cart"},
             {{"http.route", "/cart"}, {"n", int64_t{2}}});
  EXPECT_EQ(printed("Normal", spans.build()),
            "debug: traces: 1 spans, 77 bytes\n"
            "GET /cart 30313233343536373839616263646566 3031323334353637 http.route=/cart n=2\n");
  MetricBatchBuilder metrics;
  const double bounds[] = {1};
  const uint64_t buckets[] = {1, 2};
  metrics.gauge({.name = "heat"}).point({{"room", "a"}}, 1.5, {});
  metrics.histogram({.name = "time"});
  metrics.histogram_point({}, {.count = 3, .sum = 4.5, .bounds = bounds, .buckets = buckets}, {});
  const std::string out = printed("NORMAL", metrics.build());
  EXPECT_NE(out.find("\nheat room=a 1.5\ntime count=3 sum=4.5\n"), std::string::npos) << out;
}

Batch one_span(Ack ack = {}) {
  TraceBatchBuilder builder;
  builder.span({.trace_id = "0123456789abcdef", .span_id = "01234567", .name = "a"});
  return builder.build(std::move(ack));
}

constexpr std::string_view kLine = "debug: traces: 1 spans, 37 bytes\n";

TEST(Debug, PrintsWhereItIsTold) {
  const TemporaryDirectory directory;
  const std::string path = (directory.path() / "out").string();
  for (const std::string& name : {path, "file://" + path}) {
    pipeline::TestComponent debug(sonde_component_exporter_debug(),
                                  "{use_internal_logger: false, output_paths: ['" + name + "']}");
    ASSERT_EQ(debug.error, "");
    debug.component->consume(one_span());
  }
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(text, std::string(kLine) + std::string(kLine));

  pipeline::TestComponent out(sonde_component_exporter_debug(), "use_internal_logger: false");
  testing::internal::CaptureStdout();
  out.component->consume(one_span());
  EXPECT_EQ(testing::internal::GetCapturedStdout(), kLine);

  const std::string wrong = (directory.path() / "missing" / "out").string();
  pipeline::TestComponent debug(sonde_component_exporter_debug(),
                                "{use_internal_logger: false, output_paths: ['" + wrong + "']}");
  EXPECT_NE(debug.error.find("cannot open " + wrong + ": No such file"), std::string::npos)
      << debug.error;
}

TEST(Debug, PrintsWhatWaitedInItsQueue) {
  pipeline::TestComponent debug(sonde_component_exporter_debug(), "sending_queue: {queue_size: 2}");
  ASSERT_EQ(debug.error, "");
  std::optional<Outcome> outcome;
  testing::internal::CaptureStderr();
  debug.component->consume(
      one_span(Ack::make(nullptr, [&](Outcome ended) { outcome = std::move(ended); })));
  debug.host.scheduler().run_ready();
  debug.component->stop();
  EXPECT_EQ(testing::internal::GetCapturedStderr(), kLine);
  EXPECT_TRUE(debug.component->drained());
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->kind, Outcome::Delivered);
}

TEST(Debug, RefusesAnUnknownVerbosity) {
  config::Value settings = config::Value::map();
  settings.set("verbosity", config::Value::string("loud"));
  auto exporter = sonde_component_exporter_debug().create(settings, "debug", {});
  ASSERT_FALSE(exporter);
  EXPECT_NE(exporter.error().message.find("basic, normal, detailed"), std::string::npos);
}

}  // namespace
}  // namespace sonde
