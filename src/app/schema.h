// SPDX-License-Identifier: Apache-2.0
// A configuration file as JSON Schema, made from the field tables of every component.
#pragma once

#include <span>
#include <string>

#include "pipeline/component.h"

namespace sonde::app {

std::string components_schema(std::span<const pipeline::ComponentType* const> types);

}  // namespace sonde::app
