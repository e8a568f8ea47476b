// SPDX-License-Identifier: Apache-2.0
//
// YAML text to Value, by libyaml's events. Duplicate keys are refused, because the Collector
// refuses them and a silently lost setting is worse than an error. Anchors and merge keys work;
// expansion is bounded, so that a small file cannot grow into a large tree.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/value.h"

namespace sonde::config {

// How `${env:NAME}` is looked up: the process environment, unless a test says otherwise.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;

// `text` is one document; `file` is only used in messages.
Result<Value> parse_yaml(std::string_view text, std::string_view file,
                         const Environment& environment = {});

// Later maps are laid over earlier ones, key by key; lists are replaced, as by the Collector.
Value merge(Value base, Value overlay);

}  // namespace sonde::config
