// SPDX-License-Identifier: Apache-2.0
//
// Base64 with padding (RFC 4648, section 4), for YAML's !!binary and for HTTP's Basic credentials;
// line breaks inside are skipped.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sonde::config {

std::optional<std::string> decode_base64(std::string_view text);
std::string encode_base64(std::string_view bytes);

}  // namespace sonde::config
