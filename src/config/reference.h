// SPDX-License-Identifier: Apache-2.0
//
// What field tables say to readers: a JSON schema for editors and the lists of the reference page.
// Both come from the table the decoder uses, so a setting cannot be documented and unknown.
#pragma once

#include <string>
#include <string_view>

#include "config/field.h"

namespace sonde::config {

// A JSON schema (draft 2020-12) object of the settings of one component.
std::string json_schema(const FieldTable& table);

// A Markdown list, which reads well in a terminal too: a setting a line, with its type, its default
// and what it is for; nested structs as `outer.inner`.
std::string reference_list(const FieldTable& table);

}  // namespace sonde::config
