// SPDX-License-Identifier: Apache-2.0
// The settings of every component as JSON Schema, made from their field tables.
#pragma once

#include <span>
#include <string>

#include "pipeline/component.h"

namespace sonde::app {

std::string components_schema(std::span<const pipeline::ComponentType* const> types);

}  // namespace sonde::app
