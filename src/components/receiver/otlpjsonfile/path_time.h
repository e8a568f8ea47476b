// SPDX-License-Identifier: Apache-2.0
// Times as they stand in paths, read by a layout with the Collector's directives (strptime's, and
// some more), only to be compared: a time without an offset is taken as UTC.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sonde::otlpjsonfile {

// The layout with its composed directives (%F, %T, ...) spelled out. An error (Invalid) names a
// directive that there is not.
Result<std::string> spell_out_layout(std::string_view layout);
// Nanoseconds since 1970; nothing where the text is not of the layout, as spell_out_layout() made
// it.
std::optional<int64_t> read_path_time(std::string_view layout, std::string_view text);

}  // namespace sonde::otlpjsonfile
