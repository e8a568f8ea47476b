// SPDX-License-Identifier: Apache-2.0
//
// A tree as text. What to_yaml writes reads back as the same tree; `$` is not doubled, as in what
// the Collector prints, so a text with `${` is for people and not to be fed back.
#pragma once

#include <string>

#include "config/value.h"

namespace sonde::config {

std::string to_yaml(const Value& value);
// Indented by two; a time is a string, as is a number that JSON cannot hold.
std::string to_json(const Value& value);

}  // namespace sonde::config
