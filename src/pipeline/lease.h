// SPDX-License-Identifier: Apache-2.0
//
// The process-wide registry of shared things by identity: listeners, books, probes. The registry
// holds no reference itself: a thing lives as long as somebody leases it, so that after a reload
// the new graph finds what the old one still holds.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <typeinfo>

namespace sonde::pipeline {

std::shared_ptr<void> lease(std::string_view identity, const std::type_info& type,
                            const std::function<std::shared_ptr<void>()>& make);

}  // namespace sonde::pipeline
