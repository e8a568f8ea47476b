// SPDX-License-Identifier: Apache-2.0
//
// What a scalar of a YAML file means, as go-yaml version 3 has it, since that is what reads a
// Collector's configuration: mostly YAML 1.2's core schema (`no` is a string), with 1.1's octal
// (0777) and binary (0b11) integers, underscores between digits, and timestamps. Only for this
// room.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/value.h"

namespace sonde::config {

// Sets type, boolean, integer and number from the text of a plain scalar without a tag.
void resolve_plain(Value& value);

// The same for a scalar with a tag, in the long form ("tag:yaml.org,2002:int"). An unknown tag
// makes a string; a tag that the text does not fit is an error; !!binary replaces the text.
Result<> resolve_tagged(Value& value, std::string_view tag);

// An integer in Go's syntax with base 0; the second is true when it only fits a uint64.
std::optional<std::pair<int64_t, bool>> parse_go_integer(std::string_view text);

// Nanoseconds since 1970 of 2001-12-14, 2001-12-14 21:59:43.1 (UTC) or 2001-12-14T21:59:43.1-05:00.
std::optional<int64_t> parse_timestamp(std::string_view text);
// The same moment in the third form, in UTC.
std::string format_timestamp(int64_t unix_ns);

}  // namespace sonde::config
