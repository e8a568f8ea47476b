// SPDX-License-Identifier: Apache-2.0
// The pages of zpages as HTML, made from what the boards say. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "pipeline/introspection/process_facts.h"
#include "pipeline/introspection/status.h"
#include "pipeline/introspection/topology.h"

namespace sonde::zpages {

std::string escape_html(std::string_view text);

std::string service_page(const pipeline::ProcessFacts& facts);
std::string pipeline_page(const pipeline::Topology& topology,
                          std::span<const pipeline::ComponentStatus> statuses);
std::string extension_page(const pipeline::Topology& topology,
                           std::span<const pipeline::ComponentStatus> statuses);
std::string feature_page(const pipeline::ProcessFacts& facts);
std::string trace_page();

}  // namespace sonde::zpages
