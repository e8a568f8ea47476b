// SPDX-License-Identifier: Apache-2.0
// Base64 (RFC 4648): in YAML, in JSON, in the headers of HTTP and gRPC.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sonde {

// Section 4, with padding.
std::string encode_base64(std::string_view bytes);
// Section 4, with padding; line breaks inside are skipped.
std::optional<std::string> decode_base64(std::string_view text);
// Sections 4 or 5, with padding or without it, as gRPC and proto3's JSON have it.
std::optional<std::string> decode_any_base64(std::string_view text);

}  // namespace sonde
