// SPDX-License-Identifier: Apache-2.0
//
// What is wrong with a graph, given the component types there are: unknown types, settings that do
// not fit, extensions that settings name and that do not run, signals that a component cannot
// handle, connectors with an end in the air, circles. All
// mistakes are found, also in components that nothing uses, since a misspelt one is never intended.
// Nothing is opened and no component is made; the file system is only asked whether the directories
// are there that must be.
#pragma once

#include <span>

#include "config/graph.h"
#include "pipeline/component.h"

namespace sonde::pipeline {

Result<> check_graph(const config::Graph& graph, std::span<const ComponentType* const> types);

// The type of a component, or an error that names the nearest and all that there are.
Result<const ComponentType*> find_type(std::span<const ComponentType* const> types,
                                       const config::ComponentNode& node);

}  // namespace sonde::pipeline
