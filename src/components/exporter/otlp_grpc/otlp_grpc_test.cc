// SPDX-License-Identifier: Apache-2.0
// What the exporter refuses before it starts. Sending is tested end to end against a foreign
// receiver.
#include <gtest/gtest.h>

#include "pipeline/component.h"

const sonde::pipeline::ComponentType& sonde_component_exporter_otlp_grpc();

namespace sonde {
namespace {

Result<std::unique_ptr<pipeline::Component>> make_otlp_grpc(std::string_view endpoint) {
  config::Value value = config::Value::map();
  if (!endpoint.empty()) value.set("endpoint", config::Value::string(endpoint));
  return sonde_component_exporter_otlp_grpc().create(value, "otlp_grpc", {});
}

TEST(Exporter_otlp_grpc, TakesAPlainEndpointAndRefusesWhatItCannotKeepSafe) {
  EXPECT_TRUE(make_otlp_grpc("http://127.0.0.1:4318"));
  EXPECT_FALSE(make_otlp_grpc(""));
  auto encrypted = make_otlp_grpc("https://example.com");
  ASSERT_FALSE(encrypted);
  EXPECT_NE(encrypted.error().message.find("https is not supported"), std::string::npos);
  EXPECT_NE(encrypted.error().message.find("exporters::otlp_grpc"), std::string::npos);
}

}  // namespace
}  // namespace sonde
