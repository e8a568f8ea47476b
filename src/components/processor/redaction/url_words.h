// SPDX-License-Identifier: Apache-2.0
// What is left of a URL, or of a span's name, when everything that may be an id, a token or a
// parameter is taken out, so that it tells of the route alone.
#pragma once

#include <string>
#include <string_view>

namespace sonde::redaction {

// Each part between slashes that is no word becomes "*": one with other characters than letters,
// '-', '_', '.' and spaces (the second may be any, as in "v1"), or with letters that no language
// puts together like that. The text ends before the first '?', '&' or '#', and after ten parts.
//   "/users/123/avatar?size=2" -> "/users/*/avatar"
std::string cluster_url(std::string_view url);

}  // namespace sonde::redaction
