// SPDX-License-Identifier: Apache-2.0
//
// YAML text to Value, by libyaml's events, with go-yaml's meaning of scalars (scalar.h). Duplicate
// keys are refused, because the Collector refuses them and a silently lost setting is worse than an
// error. Anchors and merge keys work; expansion is bounded, so that a small file cannot grow into a
// large tree. `${...}` is left alone here: expand.h does it, after files were merged.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/value.h"

namespace sonde::config {

// How `${env:NAME}` is looked up: the process environment, unless a test says otherwise.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;

// The first document of the text; an empty text is null. An error is of the kind Exhausted where a
// bound was reached, and Invalid where this is no YAML. A second document is left out, as by the
// Collector, which is said in `warnings`.
Result<Value> read_yaml(std::shared_ptr<const Source> source,
                        std::vector<std::string>* warnings = nullptr);

// One file with its `${env:NAME}` expanded: what a test or a built-in configuration needs. Files
// and URIs of a user go through resolve.h.
Result<Value> parse_yaml(std::string_view text, std::string_view file,
                         const Environment& environment = {});

// Later maps are laid over earlier ones, key by key; everything else, lists and null too, replaces,
// as by the Collector.
Value merge(Value base, Value overlay);

// `a::b: 1` means `a: {b: 1}`, at every level of nested maps.
Value split_keys(Value value);

}  // namespace sonde::config
