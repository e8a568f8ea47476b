// SPDX-License-Identifier: Apache-2.0
//
// What a scalar written in a configuration means: the core schema of YAML 1.2 for plain ones (so
// `no` is a string and not false), and the expansion of `${env:X}`. Only for this room.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "config/value.h"
#include "config/yaml.h"

namespace sonde::config {

// Sets type, boolean, integer and number from the text of a plain scalar.
void resolve_plain(Value& value);

// Replaces `${env:NAME}`, `${env:NAME:-default}` and `${NAME}`; `$$` is a dollar. Says through
// `expanded` whether anything was replaced: a replaced text is typed as if it stood in the file.
Result<std::string> expand(std::string_view text, const Environment& environment, bool& expanded);

}  // namespace sonde::config
