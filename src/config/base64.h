// SPDX-License-Identifier: Apache-2.0
//
// Base64 with padding (RFC 4648, section 4) for YAML's !!binary; line breaks inside are skipped.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sonde::config {

std::optional<std::string> decode_base64(std::string_view text);

}  // namespace sonde::config
