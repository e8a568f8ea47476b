// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "data/span_writer.h"
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

TEST(Debug, RefusesAnUnknownVerbosity) {
  config::Value settings = config::Value::map();
  settings.set("verbosity", config::Value::string("loud"));
  auto exporter = sonde_component_exporter_debug().create(settings, "debug", {});
  ASSERT_FALSE(exporter);
  EXPECT_NE(exporter.error().message.find("basic, normal, detailed"), std::string::npos);
}

}  // namespace
}  // namespace sonde
