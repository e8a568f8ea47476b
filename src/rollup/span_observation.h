// SPDX-License-Identifier: Apache-2.0
// Reads a server or client span as an Observation, by current and older semantic conventions, so
// that spans of any SDK count like those of the probe. The views point into the span's bytes.
#pragma once

#include <optional>

#include "data/trace_view.h"
#include "rollup/observation.h"

namespace sonde::rollup {

// Nothing for spans that are neither server nor client. A resource is read once for its many spans.
std::optional<Observation> observation_of(const ServiceFacts& resource, const SpanView& span);
ServiceFacts facts_of(const ResourceView& resource);
bool is_zero_id(std::string_view id);  // Also true for an empty one.

}  // namespace sonde::rollup
