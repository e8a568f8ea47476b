// SPDX-License-Identifier: Apache-2.0
// What a configuration may name, for people: Markdown, made from the field tables of every
// component.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "pipeline/component.h"

namespace sonde::app {

// The page docs/components.md.
std::string components_reference(std::span<const pipeline::ComponentType* const> types);

// The components of this name or older name, whatever their kind; an error names the nearest.
Result<std::string> component_reference(std::span<const pipeline::ComponentType* const> types,
                                        std::string_view name);

}  // namespace sonde::app
