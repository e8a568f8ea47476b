// SPDX-License-Identifier: Apache-2.0
#include "pipeline/test_component.h"
#include "pipeline/testing/malformed_spans.h"

const sonde::pipeline::ComponentType& sonde_component_connector_service_graph();

namespace sonde {
namespace {

using pipeline::TestComponent;

TEST(ServiceGraph, RefusesAndTellsWhatItCannotCount) {
  TestComponent connector(sonde_component_connector_service_graph(), "{}");
  pipeline::expect_the_rest_refused(connector, "service_graph");
}

}  // namespace
}  // namespace sonde
