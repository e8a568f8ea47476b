// SPDX-License-Identifier: Apache-2.0
#include "app/reference.h"

#include <gtest/gtest.h>

#include "components/all.h"

namespace sonde::app {
namespace {

TEST(ComponentReference, DescribesAComponentByAnOlderName) {
  const auto text = component_reference(all_components(), "otlphttp");
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_TRUE(text->starts_with("### exporter `otlp_http`\n")) << *text;
  EXPECT_NE(text->find("Takes traces, metrics, logs, profiles."), std::string::npos) << *text;
  EXPECT_NE(text->find("- `encoding` (string, `\"proto\"`): "), std::string::npos) << *text;
  EXPECT_NE(text->find(" One of proto, json."), std::string::npos) << *text;
}

TEST(ComponentReference, DescribesReceiverAndExporterOfOneName) {
  const auto text = component_reference(all_components(), "nop");
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_NE(text->find("### receiver `nop`"), std::string::npos) << *text;
  EXPECT_NE(text->find("### exporter `nop`"), std::string::npos) << *text;
}

TEST(ComponentReference, NamesTheNearestOfAnUnknownName) {
  const auto text = component_reference(all_components(), "otlp_htp");
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().message,
            "there is no component \"otlp_htp\"; did you mean \"otlp_http\"?");
}

TEST(ComponentReference, NamesEveryComponent) {
  const std::string page = components_reference(all_components());
  for (const auto* type : all_components()) {
    const std::string head = "### " + std::string(pipeline::kind_name(type->kind)) + " `" +
                             std::string(type->name) + "`\n";
    EXPECT_NE(page.find(head), std::string::npos) << head;
  }
}

}  // namespace
}  // namespace sonde::app
