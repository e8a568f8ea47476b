// SPDX-License-Identifier: Apache-2.0
// What the program tells extensions about itself: see pipeline/introspection/process_facts.h.
#pragma once

#include <memory>

#include "app/configuration.h"
#include "pipeline/introspection/process_facts.h"

namespace sonde::app {

// Call it again with each configuration that takes the place of another. Keep what it returns for
// as long as a graph runs.
std::shared_ptr<pipeline::ProcessFactsBoard> publish_facts(const Configuration& configuration);

}  // namespace sonde::app
